"""API tokens: what a program shows instead of the passphrase, and what it may do with it.

`media/access/tokens.json` has their SHA-256. That is enough: a token is 256 random bits, which nobody tries out.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from detection.records import codec
from detection.records.files import locked, write_atomic
from detection.records.times import now

SCOPES = {
    "read": "look at uploads, runs, history and pictures",
    "write": "upload, start, cancel, retry and delete",
    "metrics": "read /metrics",
}
PREFIX = "fc_"  # so that a token that leaked is recognised as one


class NoSuchToken(LookupError):
    """There is no token of that name."""


@dataclass(frozen=True)
class Token:
    """`sha256` is of the whole token as it is shown once."""

    name: str
    scopes: tuple[str, ...]
    sha256: str
    created_at: str

    def allows(self, scope: str) -> bool:
        return scope in self.scopes


def create(root: Path, name: str, scopes: Sequence[str]) -> str:
    """The new token, which is kept nowhere. Raises ValueError for a name that is taken or an unknown scope."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ValueError(f"No scope {', '.join(unknown) or 'was given'}; there are {', '.join(SCOPES)}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    with _locked(root):
        tokens = load(root)
        if name in {token.name for token in tokens}:
            raise ValueError(f"There is a token named {name!r}: revoke it, or take another name.")
        _save(root, [*tokens, Token(name, tuple(scopes), _sha256(secret), now())])
    return secret


def revoke(root: Path, name: str) -> None:
    """Raises NoSuchToken."""
    with _locked(root):
        tokens = load(root)
        if name not in {token.name for token in tokens}:
            raise NoSuchToken(f"There is no token named {name!r}.")
        _save(root, [token for token in tokens if token.name != name])


def load(root: Path) -> list[Token]:
    """All tokens. Raises ValueError for a file that cannot be read: nobody is let in then."""
    try:
        data = _path(root).read_bytes()
    except FileNotFoundError:
        return []
    try:
        return codec.converter.loads(data, list[Token])
    except codec.ValidationError as error:
        raise ValueError(f"{_path(root)} does not hold tokens.") from error


def find(root: Path, secret: str) -> Token | None:
    """The token that a program shows."""
    shown = _sha256(secret)
    return next((token for token in load(root) if secrets.compare_digest(token.sha256, shown)), None)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _save(root: Path, tokens: list[Token]) -> None:
    write_atomic(_path(root), codec.to_json(tokens))
    _path(root).chmod(0o600)


def _locked(root: Path) -> AbstractContextManager[None]:
    _path(root).parent.mkdir(parents=True, exist_ok=True)
    return locked(_path(root).with_suffix(".lock"))


def _path(root: Path) -> Path:
    return root / "access" / "tokens.json"
