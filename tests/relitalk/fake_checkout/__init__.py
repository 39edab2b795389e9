"""A stand-in for a user's ReliTalk checkout: the released scripts' structure, arguments and bad habits, no networks.

`build` lays one out in a folder. Its test runner looks its light up as the released one does (`add_SHlight` and
`normal_shading_sh` of `scripts.test_relight_rotate`), replaces "image" in the paths, and ends with 0 whatever happens.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

RUNNER = """
import argparse
import sys
sys.path.append('../code')
from scripts.test_relight_rotate import TestRunner

if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--conf', type=str)
    parser.add_argument('--is_eval', default=False, action="store_true")
    parser.add_argument('--checkpoint', default='latest', type=str)
    parser.add_argument('--load_path', type=str, default='')
    opt = parser.parse_args()
    TestRunner(opt).run()
"""

TEST_RUNNER = """
import json, os, sys, time
from functools import partial
import cv2
import numpy as np
from utils.light_util import add_SHlight, normal_shading_sh
print = partial(print, flush=True)

class Tensor(np.ndarray):
    def new_tensor(self, values):
        return np.asarray(values, float).view(Tensor)

class TestRunner():
    def __init__(self, opt):
        settings = json.load(open(opt.conf))
        self.fault, self.pause = settings.get('fault'), settings.get('pause', 0)
        self.data = settings['data']
        self.out = os.path.join('../data/experiments', settings['subject'], 'IMavatar', settings['train'], 'eval',
                                settings['split'], 'epoch_3')
        assert os.environ['WANDB_MODE'] == 'disabled'
        print('Loading data ...')

    def run(self):
        names = sorted(os.listdir(os.path.join(self.data, 'image')), key=lambda n: int(n[:-4]))
        if self.fault == 'no_frames':
            print('RuntimeError: CUDA error: an illegal memory access was encountered')
            sys.exit(0)
        if self.fault == 'spawns':
            import subprocess
            child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
            open('child.pid', 'w').write(str(child.pid))
        own = np.full((1, 9, 1), 0.25).view(Tensor)
        for number, name in enumerate(names):
            if self.fault == 'stops' and number == 3:
                sys.exit(0)
            frame = cv2.imread(os.path.join(self.data, 'image', name))
            theta = np.pi * (number % 125 / 125)
            light = np.array([0, -np.sin(theta), 0, -np.cos(theta), 0, 0, 0, 0, 0]).view(Tensor)
            _, drawn = normal_shading_sh(light)
            shading = add_SHlight(1.0, None, light.reshape(1, 9, 1))
            exposure = add_SHlight(1.0, None, own)
            os.makedirs(os.path.join(self.out, 'rgb'), exist_ok=True)
            open(os.path.join(self.out, 'seen.jsonl'), 'a').write(json.dumps(
                {'drawn': drawn.tolist(), 'shading': shading.ravel().tolist(),
                 'exposure': exposure.ravel().tolist()}) + chr(10))
            print("Saving image {} into {}".format(int(name[:-4]), self.out))
            cv2.imwrite(os.path.join(self.out, 'rgb', name), frame // 2)
            print("Plot time per frame: {}".format(0.1))
            time.sleep(self.pause)
"""

LIGHT_UTIL = """
def add_SHlight(constant_factor, normals, light):
    return light * constant_factor

def normal_shading_sh(light):
    return None, light
"""

TORCH = """
class cuda:
    @staticmethod
    def is_available():
        return %s
"""


def build(
    root: Path, frames: int = 6, *, fault: str | None = None, pause_s: float = 0.0, cuda: bool = True, lacks: str = ""
) -> Path:
    """Lays out a checkout with the subject "Ada" prepared and trained; gives its folder."""
    code, split = root / "code", root / "data/datasets/Ada/Ada/Ada_eval"
    files = {
        code / "scripts/__init__.py": "",
        code / "scripts/exp_runner_relight.py": RUNNER,
        code / "scripts/test_relight_rotate.py": TEST_RUNNER,
        code / "utils/__init__.py": "",
        code / "utils/light_util.py": LIGHT_UTIL,
        code / "torch.py": TORCH % cuda,
        root / ".git/HEAD": "ref: refs/heads/main\n",
        code / "confs/IMavatar_supervised_Ada_test_light.conf": json.dumps(
            {"fault": fault, "pause": pause_s, "data": str(split), "subject": "Ada"}
            | {"train": "Ada_train", "split": "Ada_eval"}
        ),
    }  # fmt: skip
    for name in ("mise", "wandb", "pygit2", "plotly", "pyhocon", "imageio"):
        if name != lacks:
            files[code / f"{name}.py"] = ""
    for name in ("code", "keypoint", "iris", "flame_params"):
        files[split / f"{name}.json"] = "{}"
    for name in ("Light", "Spec", "Normal"):
        files[root / f"data/experiments/Ada/IMavatar/Ada_train/train/checkpoints/{name}ModelParameters/latest.pth"] = ""
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for folder in ("image", "mask", "semantic", "normal"):
        (split / folder).mkdir()
        for number in range(1, frames + 1):
            cv2.imwrite(str(split / folder / f"{number}.png"), np.full((256, 256, 3), 20 * number, np.uint8))
    return root
