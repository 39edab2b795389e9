"""The description of the JSON interface: as an OpenAPI document for programs, and as a page for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from detection.web import (
    api_operations,  # noqa: F401 the operations enter themselves into the interface
    api_schema,
    relight_operations,  # noqa: F401
    report_operations,  # noqa: F401
)
from detection.web.api import PREFIX, api


@dataclass(frozen=True)
class Field:
    """A parameter or a member of a shape; `kind` is its type, in the notation of TypeScript."""

    name: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """`takes` is the type of the body, `answers` what comes back in the good case, `refuses` the other statuses."""

    method: str
    path: str
    does: str
    parameters: tuple[Field, ...]
    takes: str
    answers: tuple[tuple[str, str], ...]
    refuses: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """An object with `fields`, or one of `values`."""

    name: str
    values: tuple[str, ...]
    fields: tuple[Field, ...]


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document, in the language of the request."""
    plain = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX)))
    described: dict[str, Any] = _translated(plain)
    return described


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(json.dumps(document(), ensure_ascii=False, indent=1), content_type="application/json")


@require_safe
def api_page(request: HttpRequest) -> HttpResponse:
    described = document()
    context = {
        "operations": list(_operations(described)),
        "shapes": list(_shapes(described)),
        "base": request.build_absolute_uri("/").rstrip("/"),
        "version": described["info"]["version"],
    }
    return render(request, "api.html", context)


def _translated(part: Any) -> Any:
    """With what is meant for people in the language of the request."""
    if isinstance(part, list):
        return [_translated(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _(value) if key in ("summary", "description") and value and isinstance(value, str) else _translated(value)
        for key, value in part.items()
    }


def _operations(described: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            answers = {int(status): _content(answer) for status, answer in operation["responses"].items()}
            yield Operation(
                method=method.upper(),
                path=path,
                does=operation["summary"],
                parameters=tuple(_field(p["name"], p["schema"], p["required"]) for p in operation["parameters"]),
                takes=_content(operation.get("requestBody", {})),
                answers=tuple((f"{s} {HTTPStatus(s).phrase}", kind) for s, kind in answers.items() if s < 400),
                refuses=tuple(f"{s} {HTTPStatus(s).phrase}" for s in sorted(answers) if s >= 400),
            )


def _content(part: dict[str, Any]) -> str:
    """The type of a body, empty for none."""
    for kind, media in part.get("content", {}).items():
        return type_of(media["schema"]) if kind == "application/json" else kind
    return ""


def _shapes(described: dict[str, Any]) -> Iterator[Shape]:
    """What the interface takes and answers, then what a record consists of."""
    schemas = described["components"]["schemas"]
    text = json.dumps(described)
    for name, schema in sorted(schemas.items(), key=lambda item: (not hasattr(api_schema, item[0]), item[0])):
        if f'/{name}"' not in text:
            continue  # parameters: their operation lists them
        required = schema.get("required", [])
        fields = (_field(key, value, key in required) for key, value in schema.get("properties", {}).items())
        yield Shape(name, tuple(schema.get("enum", ())), tuple(fields))


def _field(name: str, schema: dict[str, Any], is_required: bool) -> Field:
    return Field(name, type_of(schema), is_required, schema.get("description", ""))


def type_of(schema: dict[str, Any]) -> str:
    """A JSON schema as a type: `string | null`, `Span[]`, `{[key]: ModuleOutcome}`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(map(type_of, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        inner = type_of(schema.get("items", {}))
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"{{[key]: {type_of(values) if isinstance(values, dict) else 'any'}}}"
    return str(kind)
