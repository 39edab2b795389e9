"""Runs inside a user's ReliTalk checkout (cwd `code/`, its own Python): the released inference script, under one fixed
light.

The released script turns the light through 125 hard-coded directions and takes none from outside. It looks its light
up in two functions of `scripts.test_relight_rotate`; these are wrapped here so that they see the nine coefficients
that were asked for. No file of the checkout is changed. Uses nothing but the standard library.

    python relitalk_launcher.py "0,-0.9,0.1,0.3,0,0,0,0,0" scripts/exp_runner_relight.py --conf … --is_eval
    --checkpoint …
"""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path
from typing import Any


def install(coefficients: list[float]) -> None:
    """Makes the rotating test runner use these coefficients in every frame."""
    sys.path[0] = str(Path.cwd())  # not this file's folder: the checkout must find its own modules alone
    module: Any = importlib.import_module("scripts.test_relight_rotate")
    shade, draw = module.add_SHlight, module.normal_shading_sh
    swept: list[Any] = []  # the light that the script means for this frame

    def draw_with_ours(light: Any) -> Any:
        swept[:] = [light]
        return draw(light.new_tensor(coefficients))

    def shade_with_ours(constant_factor: Any, normals: Any, light: Any) -> Any:
        # The script also shades with the clip's own light, for its exposure: that one stays.
        if swept and bool((light.reshape(-1)[:9] == swept[0].reshape(-1)).all()):
            light = light * 0 + swept[0].new_tensor(coefficients).reshape(1, 9, 1)
        return shade(constant_factor, normals, light)

    module.normal_shading_sh, module.add_SHlight = draw_with_ours, shade_with_ours


def main() -> None:
    install([float(number) for number in sys.argv[1].split(",")])
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
