from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from detection import jobs
from detection.records import query, store, upload_trash
from detection.records.schema import Credentials, Provenance, Reason, RunState, Span, StreamFacts, Thresholds
from detection.records.uploads import Upload
from detection.web import facts
from detection.web.templatetags.deepfake import stretch
from detection.web.words import REASONS, VERDICTS
from tests.web import samples


def page_of(client: Client, run_id: str) -> str:
    response = client.get(reverse("run", args=[run_id]))
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(("score", "verdict"), [(0.93, "fake"), (0.5, "uncertain"), (0.08, "real")])
def test_the_verdict_comes_first_in_words(client: Client, media: Path, upload: Upload, score: float, verdict) -> None:
    page = page_of(client, samples.finished_run(media, upload, scores=(score,)).id)
    assert f"<h1>{VERDICTS[verdict].headline}</h1>" in page
    assert f"{100 * score:.0f}\u00a0%" in page
    assert "Below 35\u00a0%: no forgery found. From 65\u00a0%: probably forged." in page


def test_the_title_says_the_verdict_to_those_who_look_at_another_tab(
    client: Client, media: Path, upload: Upload
) -> None:
    page = page_of(client, samples.finished_run(media, upload, scores=(0.93,)).id)
    assert f"<title>Probably forged – {upload.name} · Face Check</title>" in page


@pytest.mark.parametrize("reason", list(Reason))
def test_no_result_has_its_reason_a_way_out_and_no_score(
    client: Client, media: Path, upload: Upload, reason: Reason
) -> None:
    page = page_of(client, samples.finished_run(media, upload, reason=reason).id)
    assert str(REASONS[reason].title) in page
    assert str(REASONS[reason].advice) in page
    assert 'class="scale' not in page


def test_without_a_face_nothing_is_offered_that_needs_one(client: Client, media: Path, upload: Upload) -> None:
    assert "Under another light" not in page_of(client, samples.finished_run(media, upload, reason=Reason.NO_FACE).id)
    assert "Under another light" in page_of(client, samples.finished_run(media, upload).id)


def test_every_person_has_a_card(client: Client, media: Path, upload: Upload) -> None:
    page = page_of(client, samples.finished_run(media, upload, scores=(0.9, 0.1)).id)
    assert page.count('<article class="person') == 2
    assert "Person 2" in page


def test_frames_and_maps_stand_side_by_side(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    page = page_of(client, run.id)
    pair = page.split('<div class="pictures">')[1].split("</div>")[0]
    assert pair.index("plain_frames/1_") < pair.index("mri/1_")
    assert "a map of a genuine face has bright spots too" in page


def test_it_says_which_direction_a_score_means(client: Client, media: Path, upload: Upload) -> None:
    page = page_of(client, samples.finished_run(media, upload).id)
    assert "Higher means more likely forged." in page
    assert "← genuine" in page


def test_it_shows_what_deviates(client: Client, media: Path, upload: Upload) -> None:
    page = page_of(client, samples.finished_run(media, upload, modules=("space", "feature")).id)
    assert "blink rate" in page
    assert "Outside the range of genuine faces, by" in page
    assert "Within the range of genuine faces." in page


def test_it_says_what_it_does_not_say_and_what_is_missing(client: Client, media: Path, upload: Upload) -> None:
    page = page_of(client, samples.finished_run(media, upload, modules=("space", "feature")).id)
    assert page.count("What this verdict does not say") == 2  # a link beside the verdict, and the section
    assert "A face that was generated as a whole has no seam to find" in page
    assert "Pictures that no module of this run makes: Blending boundary, Where the model looked." in page
    assert "The modules agree (Space: Probably forged · Feature: Probably forged)." in page


def test_the_most_suspicious_of_several_is_no_surer_than_chance_lets(
    client: Client, media: Path, upload: Upload
) -> None:
    said = "The more people, the likelier it is that one of them scores high by chance."
    several, alone, clear = (samples.finished_run(media, upload, scores=s) for s in ((0.9, 0.1), (0.9,), (0.2, 0.1)))
    assert said in page_of(client, several.id)
    assert said not in page_of(client, alone.id)
    assert said not in page_of(client, clear.id)  # nobody scores high


def test_who_was_seen_too_briefly_is_not_counted_among_those_who_could_decide(
    client: Client, media: Path, upload: Upload
) -> None:
    run = samples.finished_run(media, upload, scores=(0.9, 0.95, 0.1))
    person, passer_by, third = run.analysis.people
    passer_by = replace(passer_by, frames=3)
    analysis = replace(run.analysis, score=0.9, people=(person, passer_by, third))
    store.save_run(media, replace(run, analysis=analysis))
    page = page_of(client, run.id)
    assert "The verdict is that of person 1. Of 3 people, 2 were seen often enough to decide." in page
    assert "the most suspicious of 3 people" not in page  # person 2 has the higher score
    assert "The more people, the likelier" in page
    store.save_run(media, replace(run, analysis=replace(analysis, people=(person, passer_by))))
    page = page_of(client, run.id)
    assert "The verdict is that of person 1. Of 2 people, 1 was seen often enough to decide." in page
    assert "The more people, the likelier" not in page


def test_thresholds_that_are_not_everybodys_are_said_to_be_one_persons(
    client: Client, media: Path, upload: Upload
) -> None:
    """Who was judged by fewer modules has other ones."""
    said = "These are the thresholds of person 1; somebody who was judged by fewer modules has others."
    run = samples.finished_run(media, upload, scores=(0.9, 0.1))
    assert said not in page_of(client, run.id)
    first, second = run.analysis.people
    second = replace(second, thresholds=Thresholds(0.2, 0.5))
    store.save_run(media, replace(run, analysis=replace(run.analysis, people=(first, second))))
    assert said in page_of(client, run.id)


def test_key_frames_of_a_crowd_are_folded(client: Client, media: Path, upload: Upload) -> None:
    page = page_of(client, samples.finished_run(media, upload, scores=(0.9, 0.5, 0.4, 0.3)).id)
    evidence = page[page.index('id="evidence-heading"') :]
    assert len(re.findall(r'<section aria-label="Person \d">', evidence)) == 2
    assert len(re.findall(r"<summary>Person \d ", evidence)) == 2


def test_a_moment_is_no_stretch() -> None:
    assert stretch(Span(9.41, 9.44)) == "0:09.4"
    assert stretch(Span(9.4, 10.0)) == "0:09.4–0:10.0"


def test_streams_are_numbered_by_kind(media: Path, upload: Upload) -> None:
    analysis = samples.finished_run(media, upload).analysis
    assert analysis is not None
    assert analysis.provenance is not None
    streams = (StreamFacts("audio", "aac", None, {}), StreamFacts("video", "h264", None, {}))
    found = facts.metadata_facts(replace(analysis.provenance, streams=streams))
    assert [fact.name for fact in found][-2:] == ["Sound 1", "Picture 1"]


def test_it_shows_what_the_file_says_of_its_origin(client: Client, media: Path, upload: Upload) -> None:
    page = page_of(client, samples.finished_run(media, upload).id)
    for fact in (
        "Present, and unchanged since it was signed",
        "Signer, Test Organisation",
        "A morning’s walk",
        "250 kbit/s",
        "MP4 / QuickTime",
    ):
        assert fact in page
    assert "language: und" not in page  # nobody said anything
    assert "mov,mp4" not in page


def test_a_run_from_before_origins_were_read_says_so(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    path = store.run_dir(media, run.id) / "record.json"
    plain = json.loads(path.read_text())
    del plain["analysis"]["provenance"]
    for outcome in plain["analysis"]["modules"].values():
        for evidence in outcome["evidence"]:
            del evidence["reasons"]
    path.write_text(json.dumps(plain))
    page = page_of(client, run.id)
    assert "Not read in this run" in page
    assert "Chosen:" not in page


def test_it_shows_the_file_and_the_versions(client: Client, media: Path, upload: Upload) -> None:
    page = page_of(client, samples.finished_run(media, upload).id)
    for fact in (upload.sha256, "H.264", "480 × 270", "onnxruntime", "sha256:0f3c"):
        assert fact in page


def test_an_unfinished_run_is_followed_and_can_be_cancelled(client: Client, upload: Upload) -> None:
    (run_id,) = jobs.start([upload.sha256], ["space"])
    page = page_of(client, run_id)
    assert f'data-run="{run_id}"' in page
    client.post(reverse("run-cancel", args=[run_id]))
    assert "The analysis was cancelled." in page_of(client, run_id)


def test_a_failed_run_says_why_and_can_be_tried_again(client: Client, media: Path, upload: Upload) -> None:
    run = samples.failed_run(media, upload)
    assert "signal 9" in page_of(client, run.id)
    client.post(reverse("run-retry", args=[run.id]))
    assert store.load_run(media, run.id).state is RunState.QUEUED


def test_all_failed_runs_can_be_tried_again(client: Client, media: Path, upload: Upload) -> None:
    runs = {samples.failed_run(media, upload).id for _ in range(2)}
    client.post(reverse("retry-failed"))
    assert {run.id for run in jobs.active()} == runs


def test_a_run_with_a_result_is_not_tried_again(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    page = client.post(reverse("run-retry", args=[run.id]), follow=True).content.decode()
    assert 'class="notice error"' in page
    assert store.load_run(media, run.id).state is RunState.DONE


def test_analysing_again_makes_a_run_of_its_own(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    response = client.post(reverse("run-again", args=[run.id]))
    (new,) = jobs.active()
    assert response.url == reverse("run", args=[new.id])
    assert new.id != run.id


def test_the_result_stays_when_the_video_is_removed(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    upload_trash.delete_upload(media, upload.sha256)
    page = page_of(client, run.id)
    assert "The video was removed from this machine" in page
    assert "<video" not in page
    assert "Upload it again" in client.post(reverse("run-again", args=[run.id]), follow=True).content.decode()


def test_a_deleted_run_leaves_the_history_which_offers_to_undo_it(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    page = client.post(reverse("run-delete", args=[run.id]), follow=True).content.decode()
    assert "The result of “clip.mp4” was deleted." in page
    assert query.history(media).page().total == 0
    assert client.get(reverse("run", args=[run.id])).status_code == 404


def test_an_unfinished_run_is_not_deleted(client: Client, upload: Upload) -> None:
    (run_id,) = jobs.start([upload.sha256], ["space"])
    client.post(reverse("run-delete", args=[run_id]))
    assert [run.id for run in jobs.active()] == [run_id]


@pytest.mark.parametrize("action", ["again", "cancel", "retry", "delete"])
def test_actions_reject_get(client: Client, media: Path, upload: Upload, action: str) -> None:
    run = samples.failed_run(media, upload)
    assert client.get(reverse(f"run-{action}", args=[run.id])).status_code == 405


@pytest.mark.parametrize("run_id", ["nonsense", "20260101-000000000-000000"])
def test_a_missing_run_is_not_found(client: Client, run_id: str) -> None:
    assert client.get(f"/runs/{run_id}/").status_code == 404


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        (
            Credentials("unreadable", "urn:c2pa:59e1", faults=("claim.missing",)),
            "The manifest that it refers to is not",
        ),
        (Credentials("unreadable", "'urn:c2pa:59e1'"), "The manifest that it refers to is not in the file"),  # older
        (
            Credentials("invalid", faults=("ingredient.manifest.missing",)),
            "The manifest of a file that it was made from is not in this",
        ),
        (Credentials("valid", ingredients=("?",)), "a file without a title"),
    ],
)
def test_what_is_missing_of_the_credentials_is_said_in_words(credentials: Credentials, said: str) -> None:
    shown = {fact.name: fact.value for fact in facts.credential_facts(Provenance({}, (), credentials))}
    assert said in " ".join(shown.values())
    assert not re.fullmatch("'?urn:.*", shown.get("Detail", ""))
    assert " ".join(shown.values()).count("urn:") <= 1
