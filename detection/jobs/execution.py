"""The analysis of one run, from its record to its result; the same in the worker and in `manage.py detect`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from django.conf import settings

from detection.jobs import limits
from detection.jobs.control import Interrupt, Interrupted
from detection.records import store
from detection.records.schema import Analysis, RunRecord, RunState

ReportProgress = Callable[[str, int, int], None]

logger = logging.getLogger(__name__)


def analyse_video(
    path: Path, sha256: str | None, modules: Sequence[str], run_dir: Path, progress: ReportProgress
) -> Analysis:
    """Analyse a file as the settings say, with evidence below `run_dir`. `sha256` is given where it is known. Raises
    what `progress` raises.
    """
    from detection.inference import session  # these load the networks' libraries
    from detection.pipeline import Options, analyse
    from detection.vision.provenance import read_provenance

    session.configure(device=cast("session.Device", settings.DEEPFAKE_DEVICE), threads=settings.DEEPFAKE_THREADS)
    options = Options(max_duration_s=settings.DEEPFAKE_MAX_DURATION_S, sha256=sha256)
    analysis = analyse(path, modules, run_dir, progress, options)
    return replace(analysis, provenance=read_provenance(path))


@dataclass(frozen=True)
class Execution:
    """One run while a process analyses it. The process holds it from before `begin` to the end."""

    root: Path
    run_id: str

    def begin(self) -> RunRecord:
        return store.life_of(self.root, self.run_id).begin()

    def analyse(self, record: RunRecord, progress: ReportProgress) -> RunRecord:
        """Analyse the run and write down how it ended. Raises what ended it otherwise than with a result."""
        try:
            store.clear_evidence(self.root, self.run_id)
            folder = store.run_dir(self.root, self.run_id)
            self._describe(record)
            video = self.root / record.upload
            with limits.refusal_of_memory():
                analysis = analyse_video(video, record.sha256, record.modules, folder, progress)
            if analysis.detail is not None:  # it names the file as it is stored: by its hash
                analysis = replace(analysis, detail=analysis.detail.replace(video.name, record.video_name))
            return store.finish_run(self.root, self.run_id, RunState.DONE, analysis=analysis)
        except Interrupted as interruption:
            self.settle(interruption.why)
            raise
        except Exception as error:
            message = f"The analysis failed: {str(error) or type(error).__name__}"
            store.finish_run(self.root, self.run_id, RunState.FAILED, error=message)
            raise

    def _describe(self, record: RunRecord) -> None:
        """Note the video's properties, if the page that it was uploaded on did not."""
        from detection.vision.video import VideoError, probe

        if record.video is None:
            with contextlib.suppress(VideoError, MemoryError):  # the analysis says what is wrong with it
                video = replace(probe(self.root / record.upload, sha256=record.sha256), name=record.video_name)
                store.update_run(self.root, self.run_id, lambda current: replace(current, video=video))

    def cancel_requested(self) -> bool:
        return store.life_of(self.root, self.run_id).cancel_requested()

    def settle(self, why: Interrupt) -> None:
        """Write down an interruption; a run that has ended meanwhile stays as it ended."""
        if why is Interrupt.CANCEL:
            store.finish_run(self.root, self.run_id, RunState.CANCELLED)
        elif (excess := limits.excess(why)) is not None:
            store.finish_run(self.root, self.run_id, RunState.FAILED, error=f"The analysis took {excess}.")
        else:
            store.life_of(self.root, self.run_id).put_back()
