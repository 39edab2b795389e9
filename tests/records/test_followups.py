from __future__ import annotations

from pathlib import Path

import pytest

from detection.records import followups, lifecycle, store
from detection.records.followups import FollowUpNotFound
from detection.records.schema import RunState
from tests.records import make

ID = "0123456789abcdef01234567"


@pytest.fixture
def run_id(tmp_path: Path) -> str:
    return make.queued_run(tmp_path).id


def ask(root: Path, run_id: str) -> tuple[followups.FollowUp, bool]:
    return followups.request(root, run_id, ID, "relight", {"light": "left"})


def test_the_same_request_is_the_same_follow_up(tmp_path: Path, run_id: str) -> None:
    first, is_new = ask(tmp_path, run_id)
    assert is_new
    assert ask(tmp_path, run_id) == (first, False)
    assert followups.active(tmp_path) == [(run_id, ID)]
    followups.life_of(tmp_path, run_id, ID).begin()
    done = followups.finish(tmp_path, run_id, ID, RunState.DONE, result={"frames": 3})
    assert ask(tmp_path, run_id) == (done, False)
    assert followups.active(tmp_path) == []


def test_one_that_failed_or_lost_its_result_is_queued_again(tmp_path: Path, run_id: str) -> None:
    first, _ = ask(tmp_path, run_id)
    followups.finish(tmp_path, run_id, ID, RunState.FAILED, error="it broke", fault="no_face")
    again, is_new = ask(tmp_path, run_id)
    assert is_new
    assert (again.state, again.error, again.fault, again.attempts) == (RunState.QUEUED, None, None, 0)
    assert again.created_at == first.created_at
    followups.finish(tmp_path, run_id, ID, RunState.DONE, result={})
    _, is_new = followups.request(tmp_path, run_id, ID, "relight", {}, lambda known: False)
    assert is_new


def test_a_cancellation_that_came_too_late_is_not_that_of_the_next_attempt(tmp_path: Path, run_id: str) -> None:
    ask(tmp_path, run_id)
    followups.life_of(tmp_path, run_id, ID).begin()
    followups.finish(tmp_path, run_id, ID, RunState.FAILED, error="it broke")
    (followups.folder(tmp_path, run_id, ID) / lifecycle.CANCEL).touch()  # by who saw it running a moment before
    ask(tmp_path, run_id)
    assert not followups.life_of(tmp_path, run_id, ID).cancel_requested()


def test_what_has_ended_stays_as_it_ended(tmp_path: Path, run_id: str) -> None:
    ask(tmp_path, run_id)
    followups.finish(tmp_path, run_id, ID, RunState.CANCELLED)
    assert followups.life_of(tmp_path, run_id, ID).begin().state is RunState.CANCELLED
    assert followups.finish(tmp_path, run_id, ID, RunState.DONE, result={}).state is RunState.CANCELLED


def test_an_interrupted_one_waits_at_its_place_and_the_attempt_does_not_count(tmp_path: Path, run_id: str) -> None:
    queued, _ = ask(tmp_path, run_id)
    assert followups.life_of(tmp_path, run_id, ID).begin().attempts == 1
    back = followups.life_of(tmp_path, run_id, ID).put_back()
    assert (back.state, back.attempts, back.queued_at) == (RunState.QUEUED, 0, queued.queued_at)


def test_a_running_one_is_asked_to_stop_and_is_not_removed(tmp_path: Path, run_id: str) -> None:
    ask(tmp_path, run_id)
    followups.life_of(tmp_path, run_id, ID).begin()
    assert followups.life_of(tmp_path, run_id, ID).cancel().state is RunState.RUNNING
    assert followups.life_of(tmp_path, run_id, ID).cancel_requested()
    with pytest.raises(store.RunIsActive):
        followups.remove(tmp_path, run_id, ID)
    followups.finish(tmp_path, run_id, ID, RunState.CANCELLED)
    assert not followups.life_of(tmp_path, run_id, ID).cancel_requested()
    followups.remove(tmp_path, run_id, ID)
    assert followups.of_run(tmp_path, run_id) == []


def test_a_damaged_record_costs_that_one_alone(tmp_path: Path, run_id: str) -> None:
    ask(tmp_path, run_id)
    other = "f" * 24
    followups.request(tmp_path, run_id, other, "changed_light", {})
    (followups.folder(tmp_path, run_id, ID) / lifecycle.RECORD).write_text('{"torn')
    assert [each.id for each in followups.of_run(tmp_path, run_id)] == [other]


@pytest.mark.parametrize("name", ["../../record", "", "0" * 23, "Z" * 24])
def test_a_name_that_is_no_id_reaches_no_file(tmp_path: Path, run_id: str, name: str) -> None:
    with pytest.raises(FollowUpNotFound):
        followups.load(tmp_path, run_id, name)
