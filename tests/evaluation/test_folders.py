from __future__ import annotations

from pathlib import Path

import pytest

from detection.evaluation.folders import FolderError, read_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "clips"
    for name in ("real/a.mp4", "real/deep/b.MOV", "fake/c.mp4"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).touch()
    (made / "real" / "readme.txt").touch()
    return made


def test_videos_are_found_below_and_other_files_left_out(folder: Path) -> None:
    assert [(c.name, c.label, c.method) for c in read_folder(folder)] == [
        ("fake/c.mp4", "fake", None),
        ("real/a.mp4", "real", None),
        ("real/deep/b.MOV", "real", None),
    ]


@pytest.mark.parametrize(("index", "prefix"), [("clips/index.tsv", ""), ("clips.tsv", "clips/")])
def test_an_index_inside_or_beside_names_methods_and_pairs(folder: Path, index: str, prefix: str) -> None:
    lines = (
        f"file\tlabel\tmethod\tpair\tgroup\n{prefix}fake/c.mp4\tfake\tswap\tp1\tg1\n{prefix}real/a.mp4\treal\t\tp1\t\n"
    )
    (folder.parent / index).write_text(lines, encoding="utf-8-sig")
    fake, twin, other = read_folder(folder)
    assert (fake.method, fake.pair, fake.group) == ("swap", "p1", "g1")
    assert (twin.method, twin.pair, twin.group) == (None, "p1", None)
    assert (other.method, other.pair) == (None, None)


def test_it_names_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"There is no folder .*nowhere"):
        read_folder(tmp_path / "nowhere")


def test_it_says_what_an_empty_folder_needs(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"holds no videos.*real.*fake"):
        read_folder(tmp_path)


def test_one_label_alone_is_no_ground_for_figures(folder: Path) -> None:
    (folder / "fake" / "c.mp4").unlink()
    with pytest.raises(FolderError, match="fake holds no videos"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"path\tlabel\nfake/c.mp4\tfake\n", "needs a column"),
        (b"file\tlabel\nfake/c.mp4\treal\n", "calls fake/c.mp4 'real', but it lies in the folder fake"),
        (b"file\tlabel\n\xff\xfe\xfa\tfake\n", "cannot be read"),
    ],
)
def test_a_wrong_index_is_named(folder: Path, content: bytes, fault: str) -> None:
    (folder / "index.tsv").write_bytes(content)
    with pytest.raises(FolderError, match=fault):
        read_folder(folder)
