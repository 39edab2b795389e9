"""Rows that a name alone does not tell apart: different files of one name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Named(Protocol):
    @property
    def video_name(self) -> str: ...

    @property
    def sha256(self) -> str: ...


def namesakes(rows: Iterable[Named]) -> frozenset[str]:
    """The names that more than one content goes by among these rows; several runs over one file share theirs."""
    contents: dict[str, str] = {}
    return frozenset(row.video_name for row in rows if contents.setdefault(row.video_name, row.sha256) != row.sha256)
