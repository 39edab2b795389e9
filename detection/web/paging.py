"""Lists that are shown page by page; numbers count from 1."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from django.http import HttpRequest


@dataclass(frozen=True)
class Pages:
    """Where in a list of `total` entries the page is."""

    number: int
    total: int
    per_page: int

    @property
    def count(self) -> int:
        return max(1, ceil(self.total / self.per_page))

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.count else None

    @property
    def is_beyond(self) -> bool:
        """There is no such page, any more: its entries were deleted."""
        return self.number > self.count


def last_page(request: HttpRequest, pages: Pages) -> str:
    """The address that was asked for, with the last page that there is in place of the one named."""
    query = request.GET.copy()
    query["page"] = str(pages.count)
    return f"{request.path}?{query.urlencode()}"


def page_number(request: HttpRequest) -> int:
    """The page that the address asks for; the first where it names none."""
    number = request.GET.get("page", "1")
    return max(int(number), 1) if number.isascii() and number.isdigit() else 1
