"""From trained weights to the ONNX file that ships, checked against the network that it came from.

python -m detection.training.export WEIGHTS OUT.onnx region|boundary

`manage.py train` ends with this. WEIGHTS may also be a file that was shipped: so a network is read in another way
(see `reading`) without training it anew.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from detection.training.network import MAPS, FaceForgeryNet
from detection.training.reading import READINGS, Read
from detection.training.shipped import load_shipped
from detection.vision.types import CROP_SIZE_PX

MAX_DIFFERENCE = 1e-3  # of evidence
LEAST_AREA = 1e-3


class _Shipped(nn.Module):
    """Crops (B, S, S, 3) uint8 as vision cuts them, to evidence (B,) and one of the maps (B, 32, 32), 0 to 1.

    The evidence is the logarithm of the share of what the network sees that the map marks. It ranked the development
    clips better than the classifier's own logit, which is a second task in training alone, and it is what the picture
    shows. What of the crop the network sees is in `reading`.
    """

    def __init__(self, net: FaceForgeryNet, kind: str) -> None:
        super().__init__()
        self.net, self.map = net, MAPS.index(kind)
        reading = READINGS[kind]
        self.read = Read(reading) if reading is not None else None

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pictures = crops.permute(0, 3, 1, 2).float()
        _, maps = self.net(pictures if self.read is None else self.read(pictures))
        marked = torch.sigmoid(maps[:, self.map])
        evidence = torch.log(marked.mean((1, 2)) + LEAST_AREA)
        return evidence, marked if self.read is None else self.read.on_crop(marked)


def export(weights: Path, out: Path, kind: str) -> float:
    """Writes `out` from a state dict (.pt) or a shipped network (.onnx), with the map `kind` of network.MAPS.

    Returns the largest difference in evidence; raises ValueError if it is large.
    """
    crops = torch.randint(0, 256, (3, CROP_SIZE_PX, CROP_SIZE_PX, 3), dtype=torch.uint8)
    net = FaceForgeryNet(pretrained=False)
    if weights.suffix == ".onnx":
        load_shipped(net, weights, crops.permute(0, 3, 1, 2).float())
    else:
        net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    shipped = _Shipped(net.eval(), kind).eval()
    with tempfile.TemporaryDirectory() as folder:
        partial = Path(folder) / out.name
        torch.onnx.export(
            shipped,
            (crops,),
            str(partial),
            dynamo=True,
            input_names=["crops"],
            output_names=["evidence", kind],
            dynamic_shapes={"crops": {0: torch.export.Dim("batch", min=1, max=256)}},
            verbose=False,
        )
        model = onnx.load(str(partial))  # one file, weights inside
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph):
        del part.metadata_props[:]  # the exporter notes its machine's paths there
    onnx.checker.check_model(model)
    onnx.save(model, str(out))
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = shipped(crops)[0].numpy()
    difference = float(np.abs(session.run(None, {"crops": crops.numpy()})[0] - expected).max())
    if difference > MAX_DIFFERENCE:
        raise ValueError(f"{out.name} differs from its network by {difference:.2g} of evidence")
    return difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("kind", choices=MAPS)
    given = parser.parse_args()
    print(f"{given.out}: differs by {export(given.weights, given.out, given.kind):.2g} of evidence")


if __name__ == "__main__":
    main()
