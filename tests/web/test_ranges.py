from __future__ import annotations

from pathlib import Path

import pytest
from django.http import HttpResponseBase
from django.test import RequestFactory

from detection.web.ranges import ByteRange, Unsatisfiable, file_response, parse_range

CONTENT = bytes(range(200)) * 5


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    return path


def get(file: Path, method: str = "GET", **headers: str) -> HttpResponseBase:
    request = RequestFactory().generic(method, "/x", headers={k.replace("_", "-"): v for k, v in headers.items()})
    return file_response(request, file, "video/mp4")


def body(response: HttpResponseBase) -> bytes:
    return b"".join(response) if response.streaming else response.content


def test_a_link_may_name_the_download(file: Path) -> None:
    assert "Content-Disposition" not in get(file)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-99", ByteRange(0, 99)),
        ("bytes=990-", ByteRange(990, 999)),
        ("bytes=-10", ByteRange(990, 999)),
        ("bytes=-5000", ByteRange(0, 999)),
        ("bytes=5-5000", ByteRange(5, 999)),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("items=0-5", None),
    ],
)
def test_it_reads_range_headers(header: str, expected: ByteRange | None) -> None:
    assert parse_range(header, 1000) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=2000-3000", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, 1000)


def test_it_sends_the_whole_file_and_says_that_parts_may_be_asked_for(file: Path) -> None:
    response = get(file)
    assert (response.status_code, response["Content-Length"], response["Accept-Ranges"]) == (200, "1000", "bytes")
    assert response["Content-Type"] == "video/mp4"
    assert body(response) == CONTENT


def test_it_sends_a_part(file: Path) -> None:
    response = get(file, Range="bytes=100-299")
    assert (response.status_code, response["Content-Range"], response["Content-Length"]) == (
        206,
        "bytes 100-299/1000",
        "200",
    )
    assert body(response) == CONTENT[100:300]


def test_head_has_the_headers_of_get_and_no_body(file: Path) -> None:
    response = get(file, "HEAD", Range="bytes=-10")
    assert (response.status_code, response["Content-Length"]) == (206, "10")
    assert body(response) == b""


def test_a_range_behind_the_end_is_416_with_the_size(file: Path) -> None:
    response = get(file, Range="bytes=1000-")
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */1000")


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_if_range_sends_the_part_of_the_same_file(file: Path, validator: str) -> None:
    known = get(file)[validator]
    assert get(file, Range="bytes=0-9", If_Range=known).status_code == 206


@pytest.mark.parametrize("known", ['"another"', 'W/"weak"', "Wed, 21 Oct 2015 07:28:00 GMT", "nonsense"])
def test_if_range_sends_the_whole_of_another_file(file: Path, known: str) -> None:
    response = get(file, Range="bytes=0-9", If_Range=known)
    assert response.status_code == 200
    assert body(response) == CONTENT


def test_a_known_file_is_not_sent_again(file: Path) -> None:
    response = get(file, If_None_Match=get(file)["ETag"])
    assert response.status_code == 304
    assert body(response) == b""


def test_an_empty_file_has_no_ranges(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert get(empty).status_code == 200
    assert get(empty, Range="bytes=0-").status_code == 416
