"""The ReliTalk back end: drives a user's own checkout and trained checkpoint of arthur-qiu/ReliTalk (IJCV 2024).

The checkout, the checkpoint and FLAME's assets are the user's: nothing of them is bundled. Everything that the run
needs is checked first, because the run itself fails late and its exit code says nothing; what counts afterwards is the
number of frames.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relitalk.errors import Cancelled, Fault, RelightError
from relitalk.light import Light
from relitalk.process import run_group

Array = NDArray[Any]

FRAME_RATE_HZ = 25
SIDE_PX = 256
FRAME_FOLDERS = ("image", "mask", "semantic", "normal")
JSON_FILES = ("code.json", "keypoint.json", "iris.json", "flame_params.json")
PARAMETERS = ("LightModelParameters", "SpecModelParameters", "NormalModelParameters")
MODULES = ("torch", "mise", "wandb", "pygit2", "plotly", "pyhocon", "imageio")
FORBIDDEN_IN_PATH = ("image", "deca")  # the checkout's code replaces these words in the whole path

_SAVING = re.compile(r"Saving image (\d+) into (.+)")
_LAUNCHER = Path(__file__).with_name("relitalk_launcher.py")


@dataclass(frozen=True)
class Checkout:
    """A user's ReliTalk: `root` the checkout, `python` its interpreter, `checkpoint` an epoch number or "latest".

    Splits default to `<subject>_eval` (rendered) and `<subject>_train` (trained on), the configuration to the released
    one.
    """

    root: Path
    subject: str
    python: Path
    checkpoint: str = "latest"
    split: str = ""
    train_split: str = ""
    conf: Path | None = None
    load_path: Path | None = None

    @property
    def frames_dir(self) -> Path:
        return self.root / "data/datasets" / self.subject / self.subject / (self.split or f"{self.subject}_eval")

    @property
    def experiment_dir(self) -> Path:
        split = self.train_split or f"{self.subject}_train"
        return self.root / "data/experiments" / self.subject / "IMavatar" / split

    @property
    def conf_path(self) -> Path:
        return self.conf or self.root / f"code/confs/IMavatar_supervised_{self.subject}_test_light.conf"


def problems(checkout: Checkout) -> list[str]:
    """What is missing or wrong, one sentence each; empty when a run can start. Starts the checkout's Python once."""
    root = checkout.root
    if not (root / "code/scripts/exp_runner_relight.py").is_file():
        return [
            f"{root} is no ReliTalk checkout: code/scripts/exp_runner_relight.py is not in it. Give its top folder."
        ]
    found = []
    for word in FORBIDDEN_IN_PATH:
        if word in str(root.resolve()):
            found.append(f'The path {root.resolve()} contains "{word}", which ReliTalk replaces in all paths. Move it.')
    if not any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents)):
        found.append(f"{root} is not inside a git checkout, which ReliTalk asks for its commit. Run `git init` in it.")
    if not checkout.conf_path.is_file():
        found.append(f"The configuration {checkout.conf_path} is missing. Copy the released one for this subject.")
    return found + _frame_problems(checkout) + _checkpoint_problems(checkout) + _environment_problems(checkout)


def _frame_problems(checkout: Checkout) -> list[str]:
    folder = checkout.frames_dir
    if not folder.is_dir():
        return [f"The subject's frames {folder} are missing. Prepare the subject as ReliTalk's README says."]
    found = [
        f"{folder / name} is missing: the subject was not prepared to the end."
        for name in JSON_FILES
        if not (folder / name).is_file()
    ]
    counts = {}
    for name in FRAME_FOLDERS:
        numbers = sorted(int(p.stem) for p in (folder / name).glob("*.png") if p.stem.isdigit())
        counts[name] = len(numbers)
        if not numbers:
            found.append(f"{folder / name} holds no frames (N.png).")
        elif numbers != list(range(1, len(numbers) + 1)):
            gap = next(i for i, number in enumerate(numbers, 1) if number != i)
            found.append(f"The frames in {folder / name} do not run from 1 without a gap: {gap}.png is missing.")
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        found.append(f"The numbers of frames under {folder} differ: {listed}. They must be equal.")
    first = folder / "image/1.png"
    picture = cv2.imread(str(first)) if first.is_file() else None
    if picture is not None and picture.shape[:2] != (SIDE_PX, SIDE_PX):
        found.append(f"{first} is {picture.shape[1]}×{picture.shape[0]}; ReliTalk takes {SIDE_PX}×{SIDE_PX}.")
    return found


def _checkpoint_problems(checkout: Checkout) -> list[str]:
    folder = (checkout.load_path or checkout.experiment_dir / "train") / "checkpoints"
    files = [folder / name / f"{checkout.checkpoint}.pth" for name in PARAMETERS]
    return [
        f"The checkpoint {file} is missing. Train the subject, or name another epoch."
        for file in files
        if not file.is_file()
    ]


def _environment_problems(checkout: Checkout) -> list[str]:
    """Asks the checkout's own Python for its modules, and torch for CUDA."""
    script = (
        "import importlib.util, json\n"
        f"missing = [n for n in {MODULES!r} if importlib.util.find_spec(n) is None]\n"
        "cuda = False\n"
        "if 'torch' not in missing:\n"
        "    import torch\n"
        "    cuda = bool(torch.cuda.is_available())\n"
        "print(json.dumps({'missing': missing, 'cuda': cuda}))\n"
    )
    try:
        done = subprocess.run(
            [str(checkout.python), "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=checkout.root / "code",
            check=True,
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return [f"ReliTalk's Python {checkout.python} does not run ({error}). Give the one it was installed with."]
    found = []
    if answer["missing"]:
        found.append(f"ReliTalk's Python {checkout.python} lacks {', '.join(answer['missing'])}. Install them there.")
    if "torch" not in answer["missing"] and not answer["cuda"]:
        found.append(
            "ReliTalk needs CUDA, and its torch sees no CUDA device. Use a machine with one, or the embedded engine."
        )
    return found


def coefficients(light: Light) -> tuple[float, ...]:
    """The light as ReliTalk's 9 grey coefficients (1, Y, Z, X, YX, YZ, 3Z²−1, XZ, X²−Y², with its swapped axes),
    first order.
    """
    right, up, viewer = light.direction
    return (0.0, float(-viewer), float(up), float(right), 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Rendered:
    """The frames of a run, in order, and what ran. Intensity, ambient and colour have no counterpart in ReliTalk."""

    frames: tuple[Path, ...]
    command: tuple[str, ...]
    coefficients: tuple[float, ...]


def render(
    checkout: Checkout,
    light: Light,
    *,
    log: Path,
    timeout_s: float = 4 * 3600,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Rendered:
    """Runs ReliTalk's inference under `light`; its output goes to `log` as it comes. `progress(done, total)` counts
    frames.

    Raises RelightError with all that is missing, or with what the run failed to do; Cancelled. The process group is
    ended on a cancel, on a timeout and when `progress` raises.
    """
    wrong = problems(checkout)
    if wrong:
        raise RelightError("ReliTalk cannot run:\n" + "\n".join(f"- {line}" for line in wrong), Fault.NO_CHECKOUT)
    total = len(list((checkout.frames_dir / "image").glob("*.png")))
    values = coefficients(light)
    command = [
        str(checkout.python),
        str(_LAUNCHER),
        ",".join(f"{v:.6f}" for v in values),
        "scripts/exp_runner_relight.py",
    ]
    command += ["--conf", str(checkout.conf_path.resolve()), "--is_eval", "--checkpoint", checkout.checkpoint]
    command += ["--load_path", str(checkout.load_path.resolve())] if checkout.load_path else []
    folders: dict[str, list[int]] = {}

    def line(text: str) -> None:
        match = _SAVING.search(text)
        if match:
            numbers = folders.setdefault(match[2].strip(), [])
            numbers.append(int(match[1]))
            progress(len(numbers), total)

    code = run_group(
        command, cwd=checkout.root / "code", env=os.environ | {"WANDB_MODE": "disabled"}, log=log, line=line,
        timeout_s=timeout_s, cancelled=cancelled,
    )  # fmt: skip
    if code is None:
        raise Cancelled("The ReliTalk run was cancelled.")
    if not folders:
        raise RelightError(
            f"ReliTalk ended (exit code {code}) without saving a frame. Its last words:\n{_tail(log)}",
            Fault.CHECKOUT_FAILED,
        )
    folder = checkout.root / "code" / max(folders, key=lambda name: len(folders[name]))
    frames = [folder / "rgb" / f"{number}.png" for number in range(1, total + 1)]
    missing = [frame.name for frame in frames if not frame.is_file() or frame.stat().st_size == 0]
    if missing:
        raise RelightError(
            f"ReliTalk ended (exit code {code}) with {total - len(missing)} of {total} frames in {folder / 'rgb'}; the "
            f"first that is missing is {missing[0]}. Its last words:\n{_tail(log)}",
            Fault.CHECKOUT_FAILED,
        )
    return Rendered(tuple(frames), tuple(command), values)


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def read_frame(path: Path) -> Array:
    """One rendered frame as RGB (H, W, 3). Raises RelightError when it cannot be read."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise RelightError(
            f"ReliTalk's frame {path} cannot be read: it was written only in part.", Fault.CHECKOUT_FAILED
        )
    return np.ascontiguousarray(picture[:, :, ::-1])
