"""Five hundred readers and a hundred uploads at once: `python -m tests.benchmarks.readers`, one process, no threads.

It reads what to do as JSON from standard input and prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# As static/js/progress.js asks: often while something happens, less often while it waits.
RUNNING_S, WAITING_S = 1.0, 3.0
BETWEEN_PAGES_S = 10.0  # that somebody looks at a page of the history
PATIENCE_S = 120.0


class Failed(Exception):
    """No answer, or not the one that was due."""


@dataclass
class Seen:
    """`times_ms` by kind: when it was asked, in seconds since the beginning, and how long it took."""

    times_ms: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class Connection:
    """One browser's connection, kept open and opened again when the server closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, dict, bytes]:
        for is_again in (False, True):
            was_open = self._streams is not None
            try:
                return await asyncio.wait_for(self._ask(method, path, headers, body), PATIENCE_S)
            except (OSError, asyncio.IncompleteReadError) as error:
                self._streams = None
                if is_again or not was_open:  # one that was idle may have been closed while we asked
                    raise Failed(f"{method} {path}: {error!r}") from error
            except TimeoutError:
                raise Failed(f"{method} {path}: no answer within {PATIENCE_S} s") from None
        raise AssertionError

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        answered = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        content = await reader.readexactly(int(answered.get("content-length", "0")))
        if answered.get("connection") == "close":
            writer.close()
            self._streams = None
        return int(head[0].split()[1]), answered, content


class Crowd:
    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan, self._seen = plan, Seen()
        self._began_s = time.monotonic()
        self._ends_s = self._began_s + plan["seconds"]
        self._draw = random.Random(0)
        self._going_on = list(plan["runs"])

    async def run(self) -> Seen:
        followers = [self._follow() for _ in range(self._plan["followers"])]
        readers = [self._read_history() for _ in range(self._plan["readers"])]
        await asyncio.gather(*followers, *readers, self._upload_all())
        return self._seen

    async def _follow(self) -> None:
        """Somebody has the page of a run open, and of the next one when it has ended."""
        connection = self._connection()
        await asyncio.sleep(self._draw.uniform(0, WAITING_S))
        run_id = self._draw.choice(self._going_on)
        while time.monotonic() < self._ends_s:
            answer = await self._timed("progress", connection, f"/api/v1/progress?run={run_id}")
            run = json.loads(answer)["runs"][0] if answer else {"is_final": False, "state": "queued"}
            if run["is_final"]:
                self._going_on = [each for each in self._going_on if each != run_id] or self._plan["runs"]
                run_id = self._draw.choice(self._going_on)
            await asyncio.sleep(RUNNING_S if run["state"] == "running" else WAITING_S)

    async def _read_history(self) -> None:
        connection = self._connection()
        await asyncio.sleep(self._draw.uniform(0, BETWEEN_PAGES_S))
        while time.monotonic() < self._ends_s:
            await self._timed("history", connection, f"/history/?page={self._draw.randint(1, 20)}")
            await asyncio.sleep(self._draw.uniform(0.5, 1.5) * BETWEEN_PAGES_S)

    async def _upload_all(self) -> None:
        await asyncio.sleep(self._plan["uploads_after_s"])
        await asyncio.gather(*map(self._upload, self._plan["uploads"]))

    async def _upload(self, path: str) -> None:
        data = Path(path).read_bytes()
        name = base64.b64encode(Path(path).name.encode()).decode()
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(data)),
            "Upload-Metadata": f"filename {name}",
            "Content-Type": "application/offset+octet-stream",
        }
        await self._timed("upload", self._connection(), "/api/v1/tus/", headers, data)

    async def _timed(
        self, kind: str, connection: Connection, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> bytes | None:
        began_s = time.monotonic()
        try:
            status, answered, content = await connection.ask("POST" if body else "GET", path, headers or {}, body)
            if status != (201 if body else 200) or (body and "upload-sha256" not in answered):
                raise Failed(f"{path}: {status} {content[:200]!r}")
        except Failed as failure:
            self._seen.errors.append(str(failure))
            return None
        took_ms = (time.monotonic() - began_s) * 1000
        self._seen.times_ms.setdefault(kind, []).append((began_s - self._began_s, took_ms))
        return content

    def _connection(self) -> Connection:
        return Connection(self._plan["host"], self._plan["port"])


if __name__ == "__main__":
    seen = asyncio.run(Crowd(json.load(sys.stdin)).run())
    print(json.dumps({"times_ms": seen.times_ms, "errors": seen.errors, "cpu_s": time.process_time()}))
