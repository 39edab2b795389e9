"""What the site knows of a module: its page, in `detection/<module>/pages.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from django.urls import reverse
from django.utils.functional import Promise

from detection.modules import MODULES, ModuleSpec

Text = Promise | str


@dataclass(frozen=True)
class ModulePage:
    """How a module is presented.

    `subject` is what it examines in two or three words; `looks_at`, `shows`, `limits` (what its result does not say)
    and `how` (how it works, for the help) are sentences.
    """

    key: str
    title: Text
    subject: Text
    looks_at: Text
    shows: Text
    limits: Text
    how: Text = ""

    @property
    def spec(self) -> ModuleSpec:
        return MODULES[self.key]

    @property
    def url(self) -> str:
        return reverse(f"{self.key}-upload")


def module_page(key: str) -> ModulePage:
    """Raises KeyError for a module that is not registered."""
    page: ModulePage = import_module(f"detection.{MODULES[key].key}.pages").PAGE
    return page


def module_pages() -> list[ModulePage]:
    """All modules, in the order of the registry."""
    return [module_page(key) for key in MODULES]


def in_order(keys: Iterable[str]) -> list[str]:
    """Each key once, in the order of the registry; those that it does not know (any more) come last."""
    asked = dict.fromkeys(keys)
    return [key for key in MODULES if key in asked] + [key for key in asked if key not in MODULES]
