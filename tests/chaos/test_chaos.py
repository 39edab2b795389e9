"""A few of the moments of `make chaos`, one of each kind, and its scenarios."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.kills import Chaos
from tests.chaos.moments import moments
from tests.chaos.scenarios import SCENARIOS, Unavailable
from tests.chaos.site import running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    folder = tmp_path_factory.mktemp("chaos")
    (folder / "media").mkdir()
    with running(folder / "media") as site:
        yield Chaos(site, folder)


@pytest.mark.parametrize("moment", moments(seed=7, count=5), ids=str)
def test_whatever_is_killed_when_all_that_was_acknowledged_comes_out_whole(
    chaos: Chaos, moment: Any, settings: Any
) -> None:
    settings.MEDIA_ROOT = chaos.site.media
    chaos.go_through(moment)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_site_outlives(scenario: str, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    try:
        SCENARIOS[scenario](tmp_path)
    except Unavailable as reason:
        pytest.skip(str(reason))
