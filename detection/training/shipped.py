"""The way back: from an exported network to one that can be trained on.

The exporter folds every batch normalisation into the convolution before it. Here the convolutions are taken as they
are, and each normalisation is set to what it must be so that the network says the same as before: scaled by the
statistics of its own input on the crops given, which training then continues from.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from detection.training.network import FaceForgeryNet

FOLDED = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}  # in a block of the trunk
FOLDED_OUTSIDE = {"trunk._conv_stem": "trunk._bn0", "trunk._conv_head": "trunk._bn1", "maps.2": "maps.3"}


def load_shipped(net: FaceForgeryNet, path: Path, crops: torch.Tensor) -> None:
    """Puts the weights of `path` into `net`. `crops` (B, 3, S, S), 0 to 255, some hundred faces to measure on.

    What the file lacks stays as it was: the classifier, which is not exported, and maps that came later. Raises
    ValueError for a file that is not an export of this network.
    """
    stored = {entry.name: torch.from_numpy(numpy_helper.to_array(entry).copy()) for entry in _initializers(path)}
    stored = {name.removeprefix("net.").replace("region.", "maps."): value for name, value in stored.items()}
    state = net.state_dict()
    biases: dict[str, torch.Tensor] = {}
    for name, value in stored.items():
        if name.endswith(".weight_bias") or name == "maps.2.bias":
            biases[_normalisation_after(name.rpartition(".")[0])] = value
        if name in state and name.startswith("maps.5."):
            state[name][: len(value)] = value
        elif name in state and name != "maps.2.bias":
            state[name].copy_(value)
    wanted = {name for name, module in net.named_modules() if isinstance(module, nn.BatchNorm2d)} - {"maps.0"}
    if set(biases) != wanted:
        raise ValueError(f"{path} is not an export of this network: it lacks {sorted(wanted - set(biases))[:3]}")
    state["maps.2.bias"].zero_()
    net.load_state_dict(state)
    _unfold(net, biases, crops)


def _initializers(path: Path) -> list[onnx.TensorProto]:
    return list(onnx.load(str(path)).graph.initializer)


def _normalisation_after(convolution: str) -> str:
    if convolution in FOLDED_OUTSIDE:
        return FOLDED_OUTSIDE[convolution]
    block, _, kind = convolution.rpartition(".")
    return f"{block}.{FOLDED[kind]}"


def _unfold(net: FaceForgeryNet, biases: dict[str, torch.Tensor], crops: torch.Tensor) -> None:
    """Sets every normalisation, in the order in which the crops pass them, to add its bias and change nothing else."""

    def measure(layer: nn.BatchNorm2d, given: tuple[torch.Tensor], bias: torch.Tensor) -> None:
        variance, mean = torch.var_mean(given[0], (0, 2, 3))
        layer.running_mean, layer.running_var = mean, variance
        layer.weight.data = (variance + layer.eps).sqrt()
        layer.bias.data = mean + bias

    hooks = [
        net.get_submodule(name).register_forward_pre_hook(lambda layer, given, bias=bias: measure(layer, given, bias))
        for name, bias in biases.items()
    ]
    net.eval()
    with torch.no_grad():
        net(crops)
    for hook in hooks:
        hook.remove()
