"""Tables whose rows can be sorted by a click on the head of a column, without script."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from detection.records.rows import HistoryRow, ModuleResult
from detection.web.templatetags.deepfake import icon, module_name

register = template.Library()

LOWEST_FIRST = ("name",)  # what a first click on the head brings up; of all others the highest
NOT_KEPT = ("page", "deleted")  # of an address, when the order changes


@register.simple_tag(takes_context=True)
def sort_head(context: Context, by: str, label: Any, sort: str, kind: str = "") -> SafeString:
    """The head of a column that the table can be sorted by; `sort` is how it is sorted now, such as "-date"."""
    is_current = sort.removeprefix("-") == by
    descending = sort.startswith("-")
    then = f"-{by}" if (not descending if is_current else by not in LOWEST_FIRST) else by
    state = ("descending" if descending else "ascending") if is_current else "none"
    arrow = icon("down" if descending else "up") if is_current else ""
    says = (
        _("Sort by this column, the highest first")
        if then.startswith("-")
        else _("Sort by this column, the lowest first")
    )
    return format_html(
        '<th scope="col" role="columnheader" class="{}" aria-sort="{}"><a href="?{}" title="{}">{} {}</a></th>',
        kind,
        state,
        _address(context["request"], then),
        says,
        label,
        arrow,
    )


@register.simple_tag(takes_context=True)
def module_head(context: Context, key: str, sort: str) -> SafeString:
    """The head of the column of one module's score."""
    return sort_head(context, key, module_name(key), sort, "module")


@register.filter
def under(cells: Iterable[Any], heads: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Each cell with the head of its column, for rows that stand as paragraphs where there is no room for columns."""
    return list(zip(heads, cells, strict=False))


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key)


@register.filter
def is_in(value: Any, values: Container[Any]) -> bool:
    return value in values


@register.filter
def result_of(row: HistoryRow, module: str) -> HistoryRow | ModuleResult:
    """Verdict and score of a row: the module's where one is named, else the run's."""
    return row.modules.get(module, row)


def _address(request: HttpRequest, sort: str) -> str:
    query = request.GET.copy()
    for name in NOT_KEPT:
        query.pop(name, None)
    query["sort"] = sort
    return query.urlencode()
