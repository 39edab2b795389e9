"""What a file says of where it comes from: the container's tags, and its Content Credentials.

Tags are claims that anybody can write. Content Credentials (C2PA) are signed; they are validated with the optional
library c2pa-python, without any network: no remote manifest, no revocation service, no list of trusted signers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from detection.records.schema import Credentials, Provenance, StreamFacts
from detection.vision.video import VideoError, open_video

MAX_TAGS = 40  # of a container or a stream
MAX_TEXT = 300  # characters of a value: a file may carry a whole book in its comment
MAX_ITEMS = 20  # actions, ingredients, faults
OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
MANIFEST_MISSING = "claim.missing"  # the standard's code for a reference to a manifest that is not there
UNTRUSTED = "signingCredential.untrusted"  # said of every signer where no list of trusted ones is given


def read_provenance(path: Path) -> Provenance | None:
    """None for what is no readable video."""
    try:
        with open_video(path) as (container, _):
            streams = tuple(_stream_facts(stream) for stream in container.streams)
            return Provenance(_tags(container.metadata), streams[:MAX_ITEMS], read_credentials(path))
    except VideoError:
        return None


def _stream_facts(stream: Any) -> StreamFacts:
    context = stream.codec_context  # None for data and attachments
    codec = context.codec.canonical_name if context is not None else ""
    return StreamFacts(stream.type, codec, getattr(context, "bit_rate", None) or None, _tags(stream.metadata))


def _tags(metadata: Mapping[str, str]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in sorted(metadata.items())[:MAX_TAGS]}


def _text(value: object) -> str:
    """In one line, without control characters, not longer than MAX_TEXT."""
    line = "".join(char if char.isprintable() else " " for char in str(value)).strip()
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def read_credentials(path: Path) -> Credentials:
    """The file's Content Credentials, validated; never raises for what the file holds."""
    try:
        import c2pa
    except (ImportError, OSError):  # absent, or a native library that does not load here
        return Credentials("not_checked")
    try:
        with c2pa.Context.from_dict(OFFLINE) as context, c2pa.Reader(str(path), context=context) as reader:
            return _credentials(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return Credentials("none")
    except c2pa.C2paError.NotSupported:
        return Credentials("unsupported")
    except (c2pa.C2paError, ValueError, KeyError, TypeError) as error:
        return Credentials("unreadable", detail=_text(error))


def _credentials(store: dict[str, Any]) -> Credentials:
    """From the reader's report: the active manifest, and how its validation went."""
    active = store["active_manifest"]
    if active not in store["manifests"]:
        return Credentials("unreadable", detail=_text(active), faults=(MANIFEST_MISSING,))
    manifest = store["manifests"][active]
    state = store.get("validation_state")
    signature = manifest.get("signature_info") or {}
    codes = [_text(fault["code"]) for fault in store.get("validation_status") or [] if fault["code"] != UNTRUSTED]
    names = [part for part in (signature.get("common_name"), signature.get("issuer")) if part]
    return Credentials(
        state="valid" if state in ("Valid", "Trusted") else "invalid",
        title=_text(manifest["title"]) if manifest.get("title") else None,
        producer=", ".join(_producers(manifest)) or None,
        signer=_text(", ".join(dict.fromkeys(names))) or None,
        signed_at=_text(signature["time"]) if signature.get("time") else None,
        trusted=True if state == "Trusted" else None,
        actions=tuple(_actions(manifest))[:MAX_ITEMS],
        ingredients=tuple(_text(each.get("title") or "?") for each in manifest.get("ingredients") or [])[:MAX_ITEMS],
        faults=tuple(dict.fromkeys(codes))[:MAX_ITEMS],  # a check can fail in several places
    )


def _producers(manifest: dict[str, Any]) -> Iterator[str]:
    """The programs that made the claim, with their versions."""
    for each in manifest.get("claim_generator_info") or []:
        yield _text(" ".join(str(each[key]) for key in ("name", "version") if each.get(key)))


def _actions(manifest: dict[str, Any]) -> Iterator[str]:
    """What was done according to the manifest: action, kind of source, program."""
    for assertion in manifest.get("assertions") or []:
        if not str(assertion.get("label", "")).startswith("c2pa.actions"):
            continue
        for action in assertion["data"].get("actions") or []:
            source = str(action.get("digitalSourceType") or "").rsplit("/", 1)[-1]
            agent = action.get("softwareAgent")
            program = agent.get("name") if isinstance(agent, dict) else agent
            yield _text(" · ".join(str(part) for part in (action.get("action"), source, program) if part))
