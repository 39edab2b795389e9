from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from detection.records.uploads import Upload
from detection.web import previews
from tests.web import samples


def test_it_streams_an_upload_in_parts(client: Client, upload: Upload, clip: Path) -> None:
    response = client.get(reverse("source", args=[upload.sha256]), headers={"Range": "bytes=4-7"})
    assert response.status_code == 206
    assert b"".join(response) == clip.read_bytes()[4:8] == b"ftyp"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"] == "video/mp4"


def test_a_page_that_calls_itself_a_video_is_not_sent_as_a_page(client: Client, media: Path, tmp_path: Path) -> None:
    page = tmp_path / "evil.html"
    page.write_text("<script>alert(1)</script>")
    upload = samples.add_upload(media, page)
    assert client.get(reverse("source", args=[upload.sha256]))["Content-Type"] == "application/octet-stream"


def test_an_upload_has_a_poster(client: Client, upload: Upload) -> None:
    response = client.get(reverse("poster", args=[upload.sha256]))
    assert response["Content-Type"] == "image/jpeg"
    assert b"".join(response)[:2] == b"\xff\xd8"


def test_it_sends_the_pictures_of_a_run(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    picture = run.analysis.modules["space"].evidence[0]
    response = client.get(reverse("evidence", args=[run.id, picture.path]))
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")


@pytest.mark.parametrize(
    "path",
    ["record.json", ".lock", "../../.secret_key", "../../uploads/x.mp4", "mri", "missing.png", "..%2f..%2fx.png"],
)
def test_it_sends_nothing_else_of_a_run(client: Client, media: Path, upload: Upload, path: str) -> None:
    (media / ".secret_key").write_text("secret")
    run = samples.finished_run(media, upload)
    assert client.get(f"/media/runs/{run.id}/{path}").status_code == 404


def test_a_link_out_of_the_folder_is_not_followed(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    (media / "outside.png").write_bytes(b"secret")
    (media / "runs" / run.id / "link.png").symlink_to(media / "outside.png")
    assert client.get(f"/media/runs/{run.id}/link.png").status_code == 404


@pytest.mark.parametrize(
    "address", ["/media/runs/nonsense/a.png", "/media/uploads/nonsense/source", "/media/uploads/../x"]
)
def test_nonsense_is_not_found(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_copy_is_not_found_before_it_is_made(client: Client, upload: Upload) -> None:
    assert not previews.copy_path(upload.sha256).exists()
    assert client.get(reverse("preview", args=[upload.sha256])).status_code == 404
