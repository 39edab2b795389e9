"""How the third-party files of `assets/` were made from their sources.

Run as `python -m detection.inference.vendor MODELS SFACE`: MODELS is the folder with the networks as they were
published in ONNX form, SFACE the published face_recognition_sface_2021dec.onnx. Needs `onnx` (requirements-train.txt);
the running product never calls this. What is changed is only how a network is stored: batch (and for YuNet picture
size) made free, weights of SFace in half precision behind Cast nodes, PReLU spelled out in operators that run fast.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.inference.weights import ASSETS, Asset, enrol, sha256_of

ZOO = "https://github.com/opencv/opencv_zoo"
MEDIAPIPE = "https://github.com/google-ai-edge/mediapipe"
FREE_BATCH = "batch axis made free"
SPELLED_OUT = "each PReLU written as ReLU and channel-wise convolutions (same outputs to the last digits)"

HALF_FROM_VALUES = 1024  # smaller tensors (scales, biases) gain nothing from half precision and keep full precision


def vendor(models: Path, sface: Path) -> None:
    """Writes every third-party asset and its line of the manifest."""
    import onnx

    def network(name: str) -> Any:
        return onnx.load(str(models / name))

    yunet = network("face_detection_yunet_2023mar.onnx")
    free_axes(yunet, {0: "batch", 2: "height", 3: "width"})
    _store(
        onnx,
        yunet,
        "yunet",
        what="YuNet 2023mar face detector: BGR 0..255, NCHW, sides divisible by 32 → boxes and 5 points",
        source=f"{ZOO} models/face_detection_yunet (sha256 8f2383e4…)",
        licence="MIT",
        changes=f"{FREE_BATCH}, picture size made free",
    )
    mesh = network("face_landmark.onnx")
    free_axes(mesh, {0: "batch"})
    spell_out_prelu(onnx, mesh)
    _store(
        onnx,
        mesh,
        "face_landmark",
        what="MediaPipe face mesh: RGB 0..1, NHWC, 192² → 468 × xyz in input pixels, presence logit",
        source=f"{MEDIAPIPE} face_landmark.tflite of PyPI mediapipe 0.10.21, converted to ONNX",
        licence="Apache-2.0",
        changes=f"{FREE_BATCH}; {SPELLED_OUT}",
    )
    matte = network("selfie_segmentation.onnx")
    free_axes(matte, {0: "batch"})
    _store(
        onnx,
        matte,
        "selfie_segmentation",
        what="MediaPipe selfie segmentation: RGB 0..1, NHWC, 256² → person matte 0..1",
        source=f"{MEDIAPIPE} selfie_segmentation.tflite of PyPI mediapipe 0.10.21, converted to ONNX",
        licence="Apache-2.0",
        changes=FREE_BATCH,
    )
    recogniser = onnx.load(str(sface))
    free_axes(recogniser, {0: "batch"})
    halve(onnx, recogniser)
    spell_out_prelu(onnx, recogniser)
    _store(
        onnx,
        recogniser,
        "sface",
        what="SFace 2021dec face recognition: aligned RGB 0..255, NCHW, 112² → 128-d identity embedding",
        source=f"{ZOO} models/face_recognition_sface (sha256 0ba9fbfa…)",
        licence="Apache-2.0",
        changes=f"{FREE_BATCH}, weights stored as float16, cast to float32 on loading (embedding within 1e-3 cosine); "
        + SPELLED_OUT,
    )
    _store_mesh(models / "canonical_face.binarypb")


def free_axes(model: Any, axes: dict[int, str]) -> None:
    """Makes the input's `axes` and the outputs' batch axis free, and every Reshape follow the batch."""
    import onnx

    initializers = {i.name: i for i in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in initializers]
    del model.graph.input[:], model.graph.value_info[:]
    model.graph.input.extend(inputs)
    for axis, name in axes.items():
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    for output in model.graph.output:
        for axis, dim in enumerate(output.type.tensor_type.shape.dim):
            if axis == 0:
                dim.dim_param = "batch"
            elif len(axes) > 1 and axis == 1:
                dim.dim_param = f"{output.name}_cells"
    for node in model.graph.node:
        if node.op_type == "Reshape" and node.input[1] in initializers:
            shape = onnx.numpy_helper.to_array(initializers[node.input[1]]).copy()
            # 0 copies the batch axis; where the other axes are all given, -1 may stand for it.
            shape[0] = 0 if -1 in shape else -1
            initializers[node.input[1]].CopyFrom(onnx.numpy_helper.from_array(shape, node.input[1]))


def halve(onnx: Any, model: Any) -> None:
    """Stores the large float32 weights as float16 with a Cast back, which ONNX Runtime folds away when it loads."""
    casts = []
    for weight in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < HALF_FROM_VALUES:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)


def spell_out_prelu(onnx: Any, model: Any) -> None:
    """Writes PReLU, x where x > 0 and a·x elsewhere, as a·x + (1 − a)·ReLU(x), with a convolution for each product.

    ONNX Runtime computes PReLU point by point and reorders the picture's channels before and after it. What stands here
    stays in the order that its convolutions like, and takes half the time of the whole network off it.
    """
    initializers = {weight.name: weight for weight in model.graph.initializer}
    halved = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    nodes = []
    for node in model.graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        (picture, slopes), (output,) = node.input, node.output
        slope = onnx.numpy_helper.to_array(initializers[halved.get(slopes, slopes)]).astype(np.float32).reshape(-1)
        for name, factor in (("slope", slope), ("rest", 1 - slope)):
            kernel = factor.reshape(-1, 1, 1, 1)
            model.graph.initializer.append(onnx.numpy_helper.from_array(kernel, f"{output}_{name}"))
        by_channel = {"group": len(slope), "kernel_shape": [1, 1]}
        positive, below, above = f"{output}_positive", f"{output}_below", f"{output}_above"
        nodes += [
            onnx.helper.make_node("Relu", [picture], [positive]),
            onnx.helper.make_node("Conv", [picture, f"{output}_slope"], [below], **by_channel),
            onnx.helper.make_node("Conv", [positive, f"{output}_rest"], [above], **by_channel),
            onnx.helper.make_node("Add", [above, below], [output]),
        ]
    used = {name for node in nodes for name in node.input}
    nodes = [node for node in nodes if node.op_type != "Cast" or node.output[0] in used]
    used = {name for node in nodes for name in node.input}
    kept = [weight for weight in model.graph.initializer if weight.name in used]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(kept)


def read_canonical_face(path: Path) -> dict[str, NDArray[Any]]:
    """MediaPipe's canonical face.

    `vertices_cm` (468, 3), x right, y up, z towards the viewer; `uv` (468, 2); `triangles` (898, 3).

    The file is a protobuf GeometryPipelineMetadata; of it only Mesh3d's vertex (3) and index (4) buffers are wanted,
    which this reads off the wire format rather than bring in a protobuf runtime.
    """
    mesh = next(bytes(value) for field, value in _fields(path.read_bytes()) if field == 1 and isinstance(value, bytes))
    floats = [
        struct.unpack("<f", value)[0] for field, value in _fields(mesh) if field == 3 and isinstance(value, bytes)
    ]
    indices = [value for field, value in _fields(mesh) if field == 4]
    vertices = np.array(floats, np.float32).reshape(-1, 5)
    triangles = np.array(indices, np.int32).reshape(-1, 3)
    return {"vertices_cm": vertices[:, :3], "uv": vertices[:, 3:], "triangles": triangles}


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The (field number, value) pairs of a protobuf message: varints as int, anything else as bytes."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        length = {1: 8, 5: 4}.get(key & 7) or varint()
        yield key >> 3, data[position : position + length]
        position += length


def _store(onnx: Any, model: Any, name: str, *, what: str, source: str, licence: str, changes: str) -> None:
    onnx.checker.check_model(model)
    path = ASSETS / f"{name}.onnx"
    onnx.save(model, str(path))
    enrol(Asset(name, path.name, sha256_of(path), what, source, licence, changes))


def _store_mesh(source: Path) -> None:
    path = ASSETS / "canonical_face.npz"
    face = read_canonical_face(source)
    np.savez(path, vertices_cm=face["vertices_cm"], uv=face["uv"], triangles=face["triangles"])
    enrol(
        Asset(
            "canonical_face",
            path.name,
            sha256_of(path),
            what="canonical 468-vertex face: vertices_cm (468, 3), uv (468, 2), triangles (898, 3)",
            source=f"{MEDIAPIPE} canonical face of the face_landmarker.task bundle",
            licence="Apache-2.0",
            changes="protobuf read into NumPy arrays (no pickles)",
        )
    )


if __name__ == "__main__":
    vendor(Path(sys.argv[1]), Path(sys.argv[2]))
