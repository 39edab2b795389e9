"""What holds for every page: headers, no inline code, nothing from elsewhere, one language at a time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from detection.records.uploads import Upload
from detection.web.checks import vendor_files_are_there
from tests.web import samples

ROOT = Path(settings.BASE_DIR)
PAGES = [
    "/Space_Upload_1/",
    "/Feature_Upload_1/",
    "/history/",
    "/analysis/",
    "/compare/",
    "/keyframe/",
    "/keyframe_batch/",
    "/acc/",
    "/help/",
    "/api/",
    "/status/",
    "/runs/",
    "/trash/",
    "/batches/",
    "/not/there/",
]


@pytest.fixture
def filled(media: Path, upload: Upload) -> str:
    """A site with a result; its run's id."""
    return samples.finished_run(media, upload, scores=(0.9, 0.2), modules=("space", "feature")).id


def page(client: Client, address: str, run_id: str) -> tuple[str, str]:
    response = client.get(reverse("run", args=[run_id]) if address == "/runs/" else address)
    return response.content.decode(), response["Content-Security-Policy"]


@pytest.mark.parametrize("address", PAGES)
def test_pages_have_no_inline_script_or_style(client: Client, filled: str, address: str) -> None:
    html, policy = page(client, address, filled)
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", html)
    for script in re.findall(r"<script[^>]*>", html):
        assert "src=" in script or 'type="application/json"' in script


@pytest.mark.parametrize("address", PAGES)
def test_pages_ask_nothing_of_other_machines(client: Client, filled: str, address: str) -> None:
    html, _ = page(client, address, filled)
    assert not re.search(r"""(?:src|href|action|poster)=["'](?:https?:)?//""", html)


def test_styles_and_scripts_ask_nothing_of_other_machines() -> None:
    for file in [*ROOT.glob("static/css/*"), *ROOT.glob("static/js/*")]:
        text = file.read_text().replace("http://www.w3.org/2000/svg", "").replace("http%3a//www.w3.org", "")
        text = text.replace("http://www.w3.org", "")
        assert not re.search(r"https?://|url\(['\"]?//", text), file


@pytest.mark.parametrize("address", PAGES)
def test_every_form_that_changes_something_has_the_token(client: Client, filled: str, address: str) -> None:
    html, _ = page(client, address, filled)
    for form in re.findall(r'<form[^>]*method="post".*?</form>', html, re.S):
        assert "csrfmiddlewaretoken" in form


def test_security_headers(client: Client) -> None:
    response = client.get("/Space_Upload_1/")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


def test_nothing_is_exempt_from_the_token() -> None:
    sources = [*ROOT.glob("detection/**/*.py"), *ROOT.glob("deepfake_site/*.py")]
    assert not [path for path in sources if "csrf_exempt" in path.read_text()]


@pytest.mark.parametrize(
    "address", ["/Space_detect", "/Space_Update", "/keyframe/", "/api/v1/runs", "/runs/retry-failed/"]
)
def test_a_change_without_the_token_is_refused_with_a_page_that_helps(address: str) -> None:
    response = Client(enforce_csrf_checks=True).post(address, {})
    assert response.status_code == 403
    assert "Reload the page" in response.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_chinese_pages_are_chinese(client: Client, filled: str, address: str) -> None:
    client.cookies["django_language"] = "zh-hans"
    html, _ = page(client, address, filled)
    text = re.sub(r"<script.*?</script>|<pre.*?</pre>|<[^>]+>", " ", html, flags=re.S)
    left = [w for w in re.findall(r"[A-Za-z]{3,}(?: [a-z]{3,})+", text) if "English" not in w]
    allowed = {"python manage", "identity drift", "blink rate"}
    assert [w for w in left if not any(w.startswith(a) for a in allowed)] == []


def test_missing_libraries_are_reported_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detection.web.checks.finders.find", lambda name: None)
    (problem,) = vendor_files_are_there()
    assert "tools/frontend.py" in problem.hint


def test_a_fault_of_the_site_is_told_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detection.web.history_pages.query.history", lambda root: 1 / 0)
    response = Client(raise_request_exception=False).get("/history/")
    assert response.status_code == 500
    page = response.content.decode()
    assert "The site made an error." in page
    assert "ZeroDivisionError" not in page
