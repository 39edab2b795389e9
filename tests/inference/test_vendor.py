from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from detection.inference import vendor
from detection.inference.session import Session
from detection.inference.weights import verified_path
from detection.vision.identity import embed_faces

onnx = pytest.importorskip("onnx", reason="onnx is needed to make assets, not to run them (requirements-train.txt)")

# Eyes, nose and corners of the mouth of skimage's astronaut, read off the picture.
POINTS = np.array([(202, 101), (246, 104), (222, 129), (204, 140), (245, 143)], float)


def test_sface_in_half_precision_embeds_as_the_published_network() -> None:
    """sface_reference.json: the published float32 network's unit vector for the same aligned face."""
    reference = np.array(json.loads(Path(__file__).with_name("sface_reference.json").read_text()))
    vector = embed_faces(np.ascontiguousarray(skimage.data.astronaut()), [POINTS])[0]
    assert 1 - float(vector @ reference) / np.linalg.norm(reference) < 1e-3
    assert verified_path("sface").stat().st_size < 20e6


def test_halving_keeps_what_a_network_computes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(64, 48)).astype(np.float32)
    bias = rng.normal(size=64).astype(np.float32)
    model = linear(weight, bias)
    onnx.save(model, str(tmp_path / "full.onnx"))
    vendor.halve(onnx, model)
    onnx.checker.check_model(model)
    onnx.save(model, str(tmp_path / "half.onnx"))
    assert (tmp_path / "half.onnx").stat().st_size < 0.6 * (tmp_path / "full.onnx").stat().st_size
    batch = rng.normal(size=(1, 48)).astype(np.float32)
    full, half = (Session(tmp_path / name, threads=1).run(batch)[0] for name in ("full.onnx", "half.onnx"))
    np.testing.assert_allclose(half, full, atol=0.05)


def test_spelling_out_prelu_keeps_what_a_network_computes(tmp_path: Path) -> None:
    """With slopes below 0, between 0 and 1, and above 1, one of them stored in half precision."""
    slopes = np.array([-0.5, 0.25, 1.5], np.float32).reshape(3, 1, 1)
    nodes = [
        onnx.helper.make_node("PRelu", ["x", "slopes"], ["middle"]),
        onnx.helper.make_node("Cast", ["halved"], ["cast"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("PRelu", ["middle", "cast"], ["y"]),
    ]
    weights = {"slopes": slopes, "halved": slopes[::-1].astype(np.float16)}
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["batch", 3, 4, 4]) for n in "xy"]
    stored = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "prelu", values[:1], values[1:], stored),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=10,
    )
    onnx.save(model, str(tmp_path / "plain.onnx"))
    vendor.spell_out_prelu(onnx, model)
    onnx.checker.check_model(model)
    assert not {node.op_type for node in model.graph.node} & {"PRelu", "Cast"}
    onnx.save(model, str(tmp_path / "spelt.onnx"))
    batch = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
    plain, spelt = (Session(tmp_path / name, threads=1).run(batch)[0] for name in ("plain.onnx", "spelt.onnx"))
    np.testing.assert_allclose(spelt, plain, atol=1e-6)


def test_freeing_the_batch_keeps_what_each_sample_gives(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    model = linear(rng.normal(size=(6, 5)).astype(np.float32), np.zeros(6, np.float32), reshape=(1, 2, 3))
    vendor.free_axes(model, {0: "batch"})
    onnx.save(model, str(tmp_path / "free.onnx"))
    network = Session(tmp_path / "free.onnx", threads=1)
    batch = rng.normal(size=(4, 5)).astype(np.float32)
    (together,) = network.run(batch)
    assert together.shape == (4, 2, 3)
    for i in range(4):
        np.testing.assert_allclose(together[i], network.run(batch[i : i + 1])[0][0], rtol=1e-5)


def test_the_canonical_face_is_read_off_the_protobuf(tmp_path: Path) -> None:
    vertices = [1.0, 2.0, 3.0, 0.25, 0.75, -1.0, 0.5, 300.0, 0.5, 0.5, 0.0, 0.0, 0.0, 1.0, 1.0]
    mesh = b"\x08\x00\x10\x00"  # vertex and primitive type
    mesh += b"".join(b"\x1d" + struct.pack("<f", v) for v in vertices)
    mesh += b"".join(b"\x20" + index for index in (b"\x00", b"\x02", b"\x81\x02"))  # 0, 2, 257
    path = tmp_path / "face.binarypb"
    path.write_bytes(b"\x12\x02\x08\x04" + b"\x0a" + varint(len(mesh)) + mesh)
    face = vendor.read_canonical_face(path)
    np.testing.assert_array_equal(face["vertices_cm"][1], (-1.0, 0.5, 300.0))
    np.testing.assert_array_equal(face["uv"][0], (0.25, 0.75))
    np.testing.assert_array_equal(face["triangles"], [[0, 2, 257]])


def test_the_vendored_face_is_a_face() -> None:
    with np.load(verified_path("canonical_face"), allow_pickle=False) as face:
        vertices, triangles = face["vertices_cm"], face["triangles"]
        assert vertices.shape == (468, 3)
        assert face["uv"].shape == (468, 2)
    assert triangles.shape == (898, 3)
    assert triangles.min() == 0
    assert triangles.max() == 467
    np.testing.assert_allclose(vertices[33] * (-1, 1, 1), vertices[263], atol=1e-3)  # the eyes' outer corners


def varint(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80, value >> 7]) if value > 127 else bytes([value])


def linear(weight: np.ndarray, bias: np.ndarray, reshape: tuple[int, ...] | None = None) -> object:
    """One Gemm, with the batch fixed to 1 as exporters write it, and a Reshape behind it if `reshape` is given."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    shape = list(reshape) if reshape else [1, len(weight)]
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["g"], transB=1)]
    nodes.append(helper.make_node("Reshape", ["g", "s"], ["y"]))
    constants = [
        numpy_helper.from_array(weight, "w"),
        numpy_helper.from_array(bias, "b"),
        numpy_helper.from_array(np.array(shape, np.int64), "s"),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, weight.shape[1]])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
