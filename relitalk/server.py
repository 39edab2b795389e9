"""The relighting service over HTTP: `HEAD` and `PATCH /videos/<sha256>`, `POST /jobs`, `GET` and `DELETE /jobs/<id>`,
`GET /jobs/<id>/result`.

Every request carries `Authorization: Bearer <token>`. The protocol is HTTP/1.1 of the standard library; put a TLS
proxy before it where the line is not trusted.
"""

from __future__ import annotations

import hmac
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from relitalk.backends import Settings
from relitalk.service import Rejected, Service, token_digest

MAX_BODY_BYTES = 8 * 1024 * 1024
SOCKET_TIMEOUT_S = 60


class RelightServer(ThreadingHTTPServer):
    """Serves one `Service` folder. `serve_forever` blocks; `close` stops the worker, whose job goes on after a
    restart.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], token: str, root: Path, settings: Settings) -> None:
        if len(token) < 16:
            raise ValueError(
                "The token is too short: take at least 16 characters, for instance `openssl rand -hex 24`."
            )
        self.service = Service(root, settings)
        self.token_digest = token_digest(token)
        self._stop = threading.Event()
        self._worker = threading.Thread(
            target=self.service.work, args=(self._stop,), daemon=True, name="relight-worker"
        )
        super().__init__(address, _Handler)
        self._worker.start()

    def close(self) -> None:
        self._stop.set()
        self.server_close()
        self._worker.join(timeout=30)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SOCKET_TIMEOUT_S
    server: RelightServer

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        try:
            body = self._body()
            self._authorise()
            self._route(body)
        except Rejected as error:
            self._answer(error.status, {"error": str(error)})
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _authorise(self) -> None:
        sent = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(token_digest(sent), self.server.token_digest):
            raise Rejected(401, "the token is missing or wrong; RELITALK_TOKEN must be the server's")

    def _body(self) -> bytes:
        length = self._number("Content-Length", 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            raise Rejected(413, f"at most {MAX_BODY_BYTES} bytes are taken at a time")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError
        return body

    def _route(self, body: bytes) -> None:
        service = self.server.service
        parts = self.path.strip("/").split("/")
        match (self.command, *parts):
            case ("HEAD", "videos", sha256):
                offset, whole = service.offset(sha256)
                self._answer(200, None, {"Upload-Offset": str(offset), "Upload-Complete": str(int(whole))})
            case ("PATCH", "videos", sha256):
                service.append(sha256, self._number("Upload-Offset"), self._number("Upload-Length"), body)
                self._answer(200, {})
            case ("POST", "jobs"):
                plain = _parsed(body)
                self._answer(201, {"id": service.submit(str(plain.get("video_sha256")), plain.get("request") or {})})
            case ("GET", "jobs", job):
                self._answer(200, service.status(job))
            case ("DELETE", "jobs", job):
                service.cancel(job)
                self._answer(200, {})
            case ("GET", "jobs", job, "result"):
                self._send_range(service.result(job))
            case _:
                raise Rejected(404, "there is nothing here")

    def _number(self, header: str, default: int | None = None) -> int:
        text = self.headers.get(header, "" if default is None else str(default))
        if not re.fullmatch(r"\d{1,15}", text):
            raise Rejected(400, f"the header {header} must be a number")
        return int(text)

    def _send_range(self, path: Path) -> None:
        size = path.stat().st_size
        match = re.fullmatch(r"bytes=(\d{1,15})-(\d{1,15})", self.headers.get("Range", ""))
        first, last = (int(match[1]), min(int(match[2]), size - 1)) if match else (0, size - 1)
        if first > last or last - first + 1 > MAX_BODY_BYTES:
            raise Rejected(416, f"ask for a range of at most {MAX_BODY_BYTES} bytes within the {size} of the result")
        with path.open("rb") as file:
            file.seek(first)
            data = file.read(last - first + 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, status: int, plain: dict[str, Any] | None, headers: dict[str, str] | None = None) -> None:
        data = b"" if plain is None or self.command == "HEAD" else json.dumps(plain).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the jobs' states tell what happened, and a poll a second is no news."""


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(body)
    except ValueError as error:
        raise Rejected(400, "the body is no JSON") from error
    if not isinstance(plain, dict) or not isinstance(plain.get("request") or {}, dict):
        raise Rejected(400, "the body must be an object with video_sha256 and request")
    return plain
