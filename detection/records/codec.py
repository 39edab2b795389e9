"""Records as JSON and back, and the step from one schema version to the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import cattrs
from cattrs.preconf.json import make_converter

from detection.records.schema import SCHEMA_VERSION, RunRecord

# From the version of the key to the next one. A change of schema.py that old files do not fit adds a line here.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

T = TypeVar("T")

converter = make_converter()
ValidationError = cattrs.BaseValidationError


class RecordError(Exception):
    """A record that cannot be read; the message names the fault and the way out."""


class RecordVersionError(RecordError):
    """A record of a schema version that this program cannot read."""


def to_json(value: Any) -> bytes:
    """One line of UTF-8 JSON. Raises ValueError for NaN and infinity, which JSON does not have."""
    plain = converter.unstructure(value)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def read(path: Path, kind: type[T]) -> T | None:
    """What a small file holds; None where it is not there, or cannot be read."""
    try:
        return converter.loads(path.read_bytes(), kind)
    except (OSError, ValueError, ValidationError):
        return None


def record_from_json(data: bytes) -> RunRecord:
    """Raises RecordVersionError or RecordError."""
    return _structured(_migrated(_object(data)), RunRecord)


def from_json(data: bytes, kind: type[T]) -> T:
    """A record of a kind that has one version alone. Raises RecordError."""
    return _structured(_object(data), kind)


def _object(data: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(data)
    except ValueError as error:
        raise RecordError(f"it is not JSON ({error})") from error
    if not isinstance(plain, dict):
        raise RecordError("it holds no JSON object")
    return plain


def _structured(plain: dict[str, Any], kind: type[T]) -> T:
    try:
        return converter.structure(plain, kind)
    except ValidationError as error:
        faults = "; ".join(cattrs.transform_error(error)[:3])
        raise RecordError(f"it does not fit schema version {SCHEMA_VERSION}: {faults}") from error


def _migrated(plain: dict[str, Any]) -> dict[str, Any]:
    version = plain.get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise RecordVersionError(
            f"it has schema version {version!r}; this program reads versions up to {SCHEMA_VERSION}. "
            "Update the program, or start the one that wrote it."
        )
    while version < SCHEMA_VERSION:
        if version not in MIGRATIONS:
            raise RecordVersionError(f"it has schema version {version}, from which there is no migration.")
        plain = MIGRATIONS[version](plain)
        version += 1
        plain["schema_version"] = version
    return plain
