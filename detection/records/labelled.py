"""The clips of which a person knows the truth: uploads in two lists, genuine and fake, until they are taken out.

`media/evaluations/labelled.json` says which uploads they are; the files themselves are kept with all others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from detection.records import codec
from detection.records.files import locked, write_atomic
from detection.records.uploads import Upload, UploadNotFound, find_upload

Label = Literal["fake", "real"]

FOLDER = "evaluations"
FILE, LOCK = "labelled.json", ".labelled.lock"
WORD_LIMIT = 60  # of a method's or a pair's name


@dataclass(frozen=True)
class Labelled:
    """One upload and what is known of it. `method` is how a fake was made, `pair` a word that a fake shares with its
    genuine twin; empty where nobody said.
    """

    sha256: str
    label: Label
    method: str = ""
    pair: str = ""


@dataclass(frozen=True)
class Words:
    """What is to be said of a clip from now on; None: as before."""

    method: str | None = None
    pair: str | None = None


@dataclass(frozen=True)
class LabelledUpload:
    """A labelled clip together with its file."""

    said: Labelled
    upload: Upload


def labelled(root: Path) -> list[LabelledUpload]:
    """The clips whose files are still there, in the order in which they came."""
    found = []
    for said in _read(root):
        with contextlib.suppress(UploadNotFound):  # deleted since
            found.append(LabelledUpload(said, find_upload(root, said.sha256)))
    return found


def find(root: Path, sha256: str) -> LabelledUpload:
    """Raises UploadNotFound for one that is in no list, or whose file is gone."""
    said = next((each for each in _read(root) if each.sha256 == sha256), None)
    if said is None:
        raise UploadNotFound(f"{sha256} is not among the labelled clips.")
    return LabelledUpload(said, find_upload(root, sha256))


def sha256s(root: Path) -> frozenset[str]:
    """The hashes of the labelled clips."""
    return frozenset(said.sha256 for said in _read(root))


def put(root: Path, sha256: str, label: Label, *, method: str = "", pair: str = "") -> LabelledUpload:
    """Enter an upload, or change what is said of it; a fake alone has a method. Raises UploadNotFound."""
    upload = find_upload(root, sha256)
    said = Labelled(sha256, label, _word(method) if label == "fake" else "", _word(pair))

    def change(known: list[Labelled]) -> list[Labelled]:
        is_known = any(each.sha256 == sha256 for each in known)
        return [said if each.sha256 == sha256 else each for each in known] if is_known else [*known, said]

    _change(root, change)
    return LabelledUpload(said, upload)


def describe(root: Path, words: Mapping[str, Words]) -> None:
    """Change the words of the clips in the lists, by SHA-256, where they are given; all at once."""

    def described(each: Labelled) -> Labelled:
        given = words.get(each.sha256, Words())
        is_made = given.method is not None and each.label == "fake"
        return replace(
            each,
            method=_word(given.method or "") if is_made else each.method,
            pair=each.pair if given.pair is None else _word(given.pair),
        )

    _change(root, lambda known: [described(each) for each in known])


def take_out(root: Path, sha256: str | None = None) -> None:
    """Take one clip out of the lists, or all of them. The files stay."""
    _change(root, lambda known: [each for each in known if sha256 not in (None, each.sha256)])


def _word(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:WORD_LIMIT]


def _read(root: Path) -> list[Labelled]:
    try:
        return codec.converter.loads((root / FOLDER / FILE).read_bytes(), list[Labelled])
    except FileNotFoundError:
        return []
    except (ValueError, codec.ValidationError) as error:
        path = root / FOLDER / FILE
        raise codec.RecordError(f"{path} cannot be read: {error}. Move it away to begin anew.") from error


def _change(root: Path, change: Callable[[list[Labelled]], list[Labelled]]) -> None:
    with _locked(root):
        before = _read(root)
        if (after := change(before)) != before:
            write_atomic(root / FOLDER / FILE, codec.to_json(after))


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    with locked(root / FOLDER / LOCK):
        yield
