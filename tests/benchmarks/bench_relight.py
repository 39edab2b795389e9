"""Every figure of relitalk/README.md: `python -m tests.benchmarks.bench_relight [--data ../shared/data] [--only
stage,heads,speed,memory]`.

stage   gain-aligned PSNR and SSIM on data/light_stage, from the encoded output, beside "no relighting"; light read
back from the targets heads   identity, flicker, reconstruction and read-back on the talking heads, under three lights
speed   frames a second at 512² and 720p, whole command, on the cores that this process has
memory  peak memory for a short clip and one ten times as long
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

from relitalk.decompose import LightFit, sample_surface
from relitalk.engine import relight
from relitalk.faces import detect
from relitalk.geometry import build_geometry
from relitalk.light import PRESETS, Light, angle_between_deg
from relitalk.measure import gain_aligned, psnr_db, ssim
from relitalk.report import Report

HEAD_LIGHTS = {"left": PRESETS["left"], "right": PRESETS["right"], "top": PRESETS["top"]}


def rgb(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return np.ascontiguousarray(picture[:, :, ::-1])


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def stage(data: Path, out: Path) -> None:
    folder = data / "light_stage"
    with (folder / "targets.tsv").open() as file:
        targets = list(csv.DictReader(file, delimiter="\t"))
    indices = sorted(int(path.stem) for path in (folder / "mask").glob("*.png"))
    masks = {i: cv2.imread(str(folder / f"mask/{i:04d}.png"), cv2.IMREAD_GRAYSCALE) > 127 for i in indices}
    print("light_stage: gain-aligned PSNR (dB) / SSIM over the head, mean of the masked frames")
    print(
        f"{'target':14}" + "".join(f"{name:>22}" for name in ("soft: none", "soft: relit", "side: none", "side: relit"))
    )
    means: dict[str, list[tuple[float, float]]] = {}
    for target in targets:
        light = Light(*(float(target[name]) for name in ("azimuth", "elevation", "intensity", "ambient")))
        row = f"{target['target']:14}"
        for source in ("soft", "side"):
            video = folder / f"source_{source}.mp4"
            report = relight(video, light, out / "stage.mp4")
            for kind, frames in (("none", frames_of(video)), ("relit", frames_of(out / "stage.mp4"))):
                scores = []
                for i in indices:
                    wanted = rgb(folder / f"target/{target['target']}/{i:04d}.jpg") / 255
                    made = gain_aligned(frames[i] / 255, wanted, masks[i])
                    scores.append((psnr_db(made, wanted, masks[i]), ssim(made, wanted, masks[i])))
                mean = tuple(np.mean(scores, axis=0))
                means.setdefault(f"{source} {kind}", []).append(mean)
                row += f"{mean[0]:14.2f} /{mean[1]:6.3f}"
            row += f"  ({report.measures.direction_error_deg:.1f}° back)"
        print(row, flush=True)
    for name, values in means.items():
        psnr, similarity = np.mean(values, axis=0)
        print(f"mean {name:12} {psnr:6.2f} dB / {similarity:.3f}")
    errors = []
    for target in targets:
        images = [rgb(path) for path in sorted((folder / "target" / target["target"]).glob("*.jpg"))]
        samples = [sample_surface(build_geometry(image, detect(image)[0])) for image in images]
        true = Light(float(target["azimuth"]), float(target["elevation"])).direction
        errors.append(angle_between_deg(LightFit(samples).best().direction, true))
    print(f"direction estimated on the rendered targets: mean {np.mean(errors):.1f}°, worst {max(errors):.1f}°")


def heads(data: Path, out: Path) -> None:
    print("talking heads: identity (SFace cosine, one person from 0.363), flicker source → relit, the rest as named")
    for video in sorted((data / "talking_heads").glob("*.mp4")):
        for name, light in HEAD_LIGHTS.items():
            print(f"{video.stem:22} {name:6} {_measured(relight(video, light, out / 'head.mp4'))}", flush=True)


def _measured(report: Report) -> str:
    found = report.measures

    def number(value: float | None, digits: int) -> str:
        return "–" if value is None else f"{value:.{digits}f}"

    return (
        f"{report.frames_relit}/{report.frames} frames, identity {number(found.identity_similarity, 2)}, "
        f"flicker {number(found.flicker_source, 3)} → {number(found.flicker_relit, 3)}, reconstruction "
        f"{number(found.reconstruction_psnr_db, 1)} dB / {number(found.reconstruction_ssim, 2)}, "
        f"{number(found.direction_error_deg, 1)}° back, {report.frames_per_second:.1f} frames/s"
    )


def speed(data: Path, out: Path) -> None:
    for name, video in (
        ("512²", data / "light_stage/source_side.mp4"),
        ("720p", data / "talking_heads/fsgan_shinzo_abe.mp4"),
        ("1080p", data / "talking_heads/fsgan_conan_obrien.mp4"),
    ):
        relight(video, PRESETS["right"], out / "speed.mp4")  # once before: kernels are compiled, weights loaded
        report = relight(video, PRESETS["right"], out / "speed.mp4")
        print(f"{name:6} {report.frames_per_second:6.1f} frames/s, both passes, {report.device}", flush=True)


def memory(data: Path, out: Path) -> None:
    source = data / "talking_heads/fsgan_shinzo_abe.mp4"
    for repeats in (1, 10):
        joined = out / f"joined_{repeats}.mp4"
        _repeat(source, joined, repeats)
        script = (
            "import resource, sys; from pathlib import Path; from relitalk.engine import relight; "
            "from relitalk.light import PRESETS; "
            "report = relight(Path(sys.argv[1]), PRESETS['right'], Path(sys.argv[2])); "
            "print(report.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(joined), str(out / "memory.mp4")],
            capture_output=True,
            text=True,
            check=True,
        )
        frames, peak = done.stdout.split()
        print(f"{frames} frames: peak {peak} MB", flush=True)


def _repeat(source: Path, target: Path, times: int) -> None:
    """The same pictures one after the other, `times` times, copied."""
    with av.open(str(target), "w") as output:
        stream = None
        offset = 0
        for _ in range(times):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                end = 0
                for packet in container.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = (packet.pts or 0) + offset, packet.dts + offset
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    output.mux(packet)
                offset = end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared/data")
    parser.add_argument("--only", default="stage,heads,speed,memory")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"The clips are not at {arguments.data}; name their folder with --data.")
    with tempfile.TemporaryDirectory() as out:
        for part in arguments.only.split(","):
            {"stage": stage, "heads": heads, "speed": speed, "memory": memory}[part](arguments.data, Path(out))
    print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
