"""Imports point downward only. The table is the architecture; DESIGN in CONTRIBUTING.md explains it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the top down: a package may import those of lower number, and itself.
LAYERS = {
    "deepfake_site": 8,
    "detection.web": 7,
    "detection.management": 7,
    "detection.jobs": 6,
    "detection.training": 6,
    "detection.evaluation": 6,
    "detection.pipeline": 5,
    "detection.space": 4,
    "detection.feature": 4,
    "detection.blend": 4,
    "detection.judging": 4,
    "detection.fusion": 4,
    "detection.traces": 4,
    "detection.modules": 3,
    "relitalk": 3,  # a library on top of the eyes: it finds faces as the detectors do
    "detection.vision": 2,
    "detection.inference": 1,
    "detection.records": 0,
    "detection.logs": 0,
}
SIBLINGS_APART = {"detection.space", "detection.feature", "detection.blend"}
NO_DJANGO = (
    "detection/vision",
    "detection/inference",
    "detection/records",
    "detection/training",
    "detection/evaluation",
    "relitalk",
)
SETTINGS_READERS = ("deepfake_site", "detection/web", "detection/jobs", "detection/management", "detection/checks.py")
# Parts of a module's folder that are the web's: Django finds them there, the detector never imports them.
WEB_PARTS = {"pages", "urls", "apps", "checks"}


def layer_of(module: str) -> tuple[str, int] | None:
    for name in sorted(LAYERS, key=len, reverse=True):
        if module == name or module.startswith(name + "."):
            parts = module[len(name) + 1 :].split(".")
            return name, LAYERS["deepfake_site"] if parts[0] in WEB_PARTS else LAYERS[name]
    return None


def imports_of(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the whole name"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


SOURCES = [p for top in ("detection", "relitalk", "deepfake_site") for p in sorted((ROOT / top).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downward(path: Path) -> None:
    module = str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")
    here = layer_of(module)
    for name in imports_of(path):
        there = layer_of(name)
        if here is None or there is None or there[0] == here[0]:
            continue
        assert there[1] < here[1] or (there[1] == here[1] and not {here[0], there[0]} <= SIBLINGS_APART), (
            f"{module} (layer {here[1]}) imports {name} (layer {there[1]})"
        )


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_libraries_know_no_django(path: Path) -> None:
    relative = str(path.relative_to(ROOT))
    names = imports_of(path)
    if relative.startswith(NO_DJANGO) or relative.endswith("detector.py"):
        assert not [n for n in names if n.split(".")[0] in ("django", "deepfake_site")]
    if not relative.startswith(SETTINGS_READERS) and path.stem not in WEB_PARTS:
        assert "django.conf.settings" not in names
