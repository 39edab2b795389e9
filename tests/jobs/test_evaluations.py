"""Evaluations as jobs, in this process, with a detector that measures something."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.evaluation.run import run
from detection.evaluation.summary import summarise
from detection.jobs import evaluation_work, evaluations, recovery
from detection.jobs.control import Interrupt, Interrupted
from detection.jobs.evaluation_work import EvaluationExecution
from detection.jobs.queue import FileQueue
from detection.jobs.tasks import do_evaluation
from detection.records import evaluations as records
from detection.records import labelled as lists
from detection.records import lifecycle, upload_trash, uploads
from detection.records.evaluations import EvaluatedClip, EvaluationRecord
from detection.records.schema import RunState
from tests.evaluation.brightness import BrightnessDetector
from tests.evaluation.conftest import bright_module, labelled  # noqa: F401 fixtures

Bright = type[BrightnessDetector]


@pytest.fixture
def clips(media: Path, labelled: Path) -> list[lists.LabelledUpload]:  # noqa: F811
    """The labelled clips as uploads, one pair named and one method."""
    put = []
    for path in sorted(labelled.rglob("*.mp4")):
        with path.open("rb") as file:
            upload = uploads.add_stream(media, f"{path.parent.name}-{path.name}", uploads.read_chunks(file))
        pair = "first" if path.name == "one.mp4" else ""
        label: lists.Label = "fake" if path.parent.name == "fake" else "real"
        put.append(lists.put(media, upload.sha256, label, method=" lamp\n", pair=pair))
    return put


def work_off(queue: FileQueue) -> list[str]:
    """Call what is queued until nothing is; the states in between."""
    states = []
    while (job := queue.claim("test", "2026-11-25T00:00:00.000+00:00")) is not None:
        states.append(do_evaluation.call(*job.args))
        queue.finish(job)
    return states


def the_end(record: EvaluationRecord) -> EvaluationRecord:
    return evaluations.progress(record.id).record


def test_the_figures_are_those_of_the_command(
    media: Path, queue: FileQueue, clips: list[lists.LabelledUpload], labelled: Path, bright_module: Bright  # noqa: F811
) -> None:  # fmt: skip
    record = evaluations.start("mine", ["bright"])
    assert work_off(queue) == ["queued"] * 5 + ["done"]
    assert bright_module.analysed == 4  # the clip without a face needs no detector
    found = evaluations.result(record.id)
    assert (the_end(record).done, found.folder) == (5, "mine")

    from detection.evaluation.folders import read_folder

    rows = list(run(read_folder(labelled), ["bright"], lambda _: None))
    expected = summarise("mine", ("bright",), rows, {}, {})
    assert found.judges[0].figures == expected.judges[0].figures
    assert found.judges[0].figures["paired_accuracy"].clips == 1
    assert [family.name for family in found.judges[0].families] == ["lamp"]
    headline = the_end(record).headline
    assert headline is not None
    assert (headline.judge, headline.auc) == ("bright", found.judges[0].figures["auc"].value)


def test_a_folder_of_this_machine_is_evaluated_where_it_lies(
    media: Path, queue: FileQueue, labelled: Path, bright_module: Bright  # noqa: F811
) -> None:  # fmt: skip
    record = evaluations.start_on_folder(labelled, "folder", ["bright"])
    work_off(queue)
    assert the_end(record).state is RunState.DONE
    assert uploads.list_uploads(media) == []


def test_several_take_turns_and_each_goes_on_where_it_was(
    queue: FileQueue, clips: list[lists.LabelledUpload], bright_module: Bright  # noqa: F811
) -> None:  # fmt: skip
    first, second = (evaluations.start(name, ["bright"]) for name in ("one", "two"))
    job = queue.claim("test", "2026-11-25T00:00:00.000+00:00")
    assert job is not None
    do_evaluation.call(*job.args)
    queue.finish(job)
    assert (the_end(first).done, the_end(second).done) == (1, 0)
    assert evaluations.progress(first.id).percent == 20
    assert [job.args for job in queue.pending()] == [[second.id], [first.id]]
    work_off(queue)
    assert (the_end(first).state, the_end(second).state) == (RunState.DONE, RunState.DONE)
    assert bright_module.analysed == 4  # the second one found all of it known


def test_cancelled_it_stops_and_tried_again_it_ends(
    queue: FileQueue, clips: list[lists.LabelledUpload], bright_module: Bright  # noqa: F811
) -> None:  # fmt: skip
    record = evaluations.start("mine", ["bright"])
    assert evaluations.cancel(record.id).state is RunState.CANCELLED
    assert work_off(queue) == ["cancelled"]
    with pytest.raises(records.EvaluationNotFound):
        evaluations.result(record.id)
    assert evaluations.retry(record.id).state is RunState.QUEUED
    assert work_off(queue)[-1] == "done"
    assert evaluations.retry(record.id).state is RunState.DONE  # nothing to do
    evaluations.delete(record.id)
    assert evaluations.every() == []


def test_a_running_one_is_asked_to_stop(
    media: Path, queue: FileQueue, clips: list[lists.LabelledUpload], bright_module: Bright  # noqa: F811
) -> None:  # fmt: skip
    record = evaluations.start("mine", ["bright"])
    EvaluationExecution(media, record.id).begin()
    with pytest.raises(records.EvaluationIsActive):
        evaluations.delete(record.id)
    evaluations.cancel(record.id)
    with pytest.raises(evaluation_work.Interrupted):
        do_evaluation.call(record.id)
    assert the_end(record).state is RunState.CANCELLED


def test_a_clip_that_was_deleted_is_named(
    media: Path, queue: FileQueue, clips: list[lists.LabelledUpload], bright_module: Bright  # noqa: F811
) -> None:  # fmt: skip
    record = evaluations.start("mine", ["bright"])
    upload_trash.delete_upload(media, clips[0].upload.sha256)
    work_off(queue)
    assert the_end(record).state is RunState.FAILED
    assert clips[0].upload.name in (the_end(record).error or "")
    assert [each.upload.name for each in lists.labelled(media)] == [each.upload.name for each in clips[1:]]


def test_one_kind_alone_gives_no_figures(media: Path, clips: list[lists.LabelledUpload]) -> None:
    for each in clips:
        if each.said.label == "fake":
            lists.take_out(media, each.said.sha256)
    with pytest.raises(evaluations.NotEnoughClips):
        evaluations.start("mine", ["bright"])


def test_what_no_process_works_on_is_queued_again(
    media: Path, queue: FileQueue, clips: list[lists.LabelledUpload], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "GRACE_S", -1.0)
    record = records.create(media, "mine", ("bright",), (records.EvaluatedClip("a", "a", "fake"),))
    records.begin(media, record.id)
    with records.life_of(media, record.id).holding():
        recovery.settle_evaluations(media, queue)
        assert list(queue.pending()) == []
    for _ in range(2):
        recovery.settle_evaluations(media, queue)
        assert [job.args for job in queue.pending()] == [[record.id]]


@pytest.mark.parametrize(
    ("why", "state", "words"),
    [
        (Interrupt.TIMEOUT, RunState.FAILED, "fake-one.mp4 took longer than"),
        (Interrupt.CANCEL, RunState.CANCELLED, ""),
        (Interrupt.STOP, RunState.QUEUED, ""),
    ],
)
def test_an_interruption_is_written_down(
    media: Path, clips: list[lists.LabelledUpload], why: Interrupt, state: RunState, words: str
) -> None:
    record = evaluations.start("mine", ["bright"])
    execution = EvaluationExecution(media, record.id)
    execution.begin()
    execution.settle(why)
    assert the_end(record).state is state
    assert words in (the_end(record).error or "")


def test_a_clip_that_is_refused_memory_is_named(
    clips: list[lists.LabelledUpload],
    bright_module: Bright,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(bright_module, "analyse", refused)
    record = evaluations.start("mine", ["bright"])
    with pytest.raises(Interrupted) as interruption:  # whereupon the worker begins anew
        do_evaluation.call(record.id)
    assert interruption.value.why is Interrupt.MEMORY
    assert the_end(record).state is RunState.FAILED
    assert (the_end(record).error or "").startswith("fake-one.mp4 took more than 4096 MB of memory")


def test_a_clip_that_ends_its_worker_twice_is_named(media: Path, clips: list[lists.LabelledUpload]) -> None:
    record = evaluations.start("mine", ["bright"])
    recovery.give_up(media, do_evaluation.module_path, [record.id], 2, "by signal 11")
    assert (the_end(record).error or "").startswith("fake-one.mp4: The worker process died 2 times")


def test_a_cancellation_that_came_too_late_is_not_that_of_the_next_attempt(media: Path) -> None:
    clip = EvaluatedClip("uploads/a.mp4", "a.mp4", "fake")
    record = records.create(media, "mine", ("space",), (clip,))
    records.begin(media, record.id)
    records.finish(media, record.id, RunState.FAILED, error="it broke")
    (records.folder(media, record.id) / lifecycle.CANCEL).touch()  # by who saw it running a moment before
    assert records.reopen(media, record.id)[1]
    assert not records.life_of(media, record.id).cancel_requested()
