"""What a file says of itself, and its Content Credentials (with c2pa-python, where that is installed)."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from detection.vision.provenance import MAX_TAGS, MAX_TEXT, read_credentials, read_provenance
from tests import clips


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.write_noise(tmp_path_factory.mktemp("clip") / "noise.mp4", frames=5)


def test_it_reads_the_tags_of_the_container(tmp_path: Path) -> None:
    path = clips.write_astronaut(tmp_path / "a.mp4", frames=3, mark=7)
    found = read_provenance(path)
    assert found.tags["comment"] == "mark 7"
    assert [(s.kind, s.codec) for s in found.streams] == [("video", "h264")]
    assert found.streams[0].bit_rate_bps > 0


def test_long_values_and_many_tags_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        container.metadata.update({f"tag{number:03}": "line\nbreak " * 100 for number in range(100)})
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    tags = read_provenance(path).tags
    assert len(tags) == MAX_TAGS
    assert {len(value) for name, value in tags.items() if name.startswith("TAG")} == {MAX_TEXT}
    assert not any("\n" in value for value in tags.values())


def test_what_is_no_video_has_no_provenance(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    assert read_provenance(tmp_path / "a.mp4") is None


def test_without_the_library_credentials_are_not_checked(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert read_credentials(clip).state == "not_checked"


def test_a_file_without_a_manifest_has_none(clip: Path) -> None:
    pytest.importorskip("c2pa")
    assert read_credentials(clip).state == "none"


def test_a_signed_file_is_validated_and_its_signer_not_taken_for_trusted(clip: Path, tmp_path: Path) -> None:
    found = read_credentials(signed(clip, tmp_path / "signed.mp4"))
    assert (found.state, found.trusted, found.faults) == ("valid", None, ())
    assert found.producer == "Test Camera 1.0"
    assert found.signer == "Signer, Test Organisation"
    assert found.actions == ("c2pa.created · trainedAlgorithmicMedia · Painter",)


def test_a_file_that_was_changed_after_signing_is_invalid(clip: Path, tmp_path: Path) -> None:
    path = signed(clip, tmp_path / "signed.mp4")
    data = bytearray(path.read_bytes())
    data[-300] ^= 255  # in the picture data
    path.write_bytes(data)
    found = read_credentials(path)
    assert found.state == "invalid"
    assert found.faults == ("assertion.bmffHash.mismatch",)


def test_a_manifest_that_is_not_in_the_file_is_said_to_be_missing(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    c2pa = pytest.importorskip("c2pa", reason="c2pa-python is not installed")
    path = signed(clip, tmp_path / "signed.mp4")
    report = json.loads(c2pa.Reader(str(path)).json())
    urn = report["active_manifest"]
    without = json.dumps(report | {"manifests": {}})
    monkeypatch.setattr(c2pa.Reader, "json", lambda reader: without)
    found = read_credentials(path)
    assert (found.state, found.faults, found.detail) == ("unreadable", ("claim.missing",), urn)


def test_each_failed_check_is_named_once_and_a_source_without_its_manifest_is_one(clip: Path, tmp_path: Path) -> None:
    parent = signed(clip, tmp_path / "parent.mp4")
    path = edited(parent, tmp_path / "edited.mp4")
    assert (read_credentials(path).state, read_credentials(path).ingredients) == ("valid", ("parent.mp4",))
    data = path.read_bytes()
    (urn,) = set(re.findall(rb"urn:c2pa:[0-9a-f-]{36}", parent.read_bytes()))
    path.write_bytes(data.replace(urn, urn[:-4] + b"0000", 1))  # the parent's manifest goes by another name now
    found = read_credentials(path)
    assert (found.state, found.faults) == ("invalid", ("ingredient.manifest.missing",))


def signed(source: Path, target: Path) -> Path:
    """`source` with a manifest that a certificate of our own has signed."""
    pytest.importorskip("c2pa", reason="c2pa-python is not installed")
    action = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        "softwareAgent": {"name": "Painter"},
    }
    manifest = {
        "claim_generator_info": [{"name": "Test Camera", "version": "1.0"}],
        "title": "noise.mp4",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }
    return _sign(manifest, source, target)


def edited(source: Path, target: Path) -> Path:
    """`source`, which is signed, signed again as something that was made from it."""
    return _sign({"claim_generator_info": [{"name": "Editor"}]}, source, target, is_edit=True)


def _sign(manifest: dict[str, Any], source: Path, target: Path, *, is_edit: bool = False) -> Path:
    import c2pa

    chain, key = certificates()
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=b"")
    info.ta_url = None  # no time stamp: that would ask a server
    with c2pa.Builder(manifest) as builder, source.open("rb") as read, target.open("w+b") as write:
        if is_edit:
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            with source.open("rb") as parent:
                builder.add_ingredient({"title": source.name, "relationship": "parentOf"}, "video/mp4", parent)
        builder.sign(c2pa.Signer.from_info(info), "video/mp4", read, write)
    return target


def certificates() -> tuple[bytes, bytes]:
    """A chain of a root and a signer's certificate, and the signer's key, in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(common: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Organisation")
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def certificate(of: str, key: ec.EllipticCurvePrivateKey, is_root: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        ) | {"encipher_only": False, "decipher_only": False}
        builder = (
            x509.CertificateBuilder(name("Root"), name(of), key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(is_root, None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage), True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False)
        )
        if not is_root:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        return builder.sign(root_key, hashes.SHA256())

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = [certificate("Signer", key, False), certificate("Root", root_key, True)]
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return b"".join(c.public_bytes(pem) for c in chain), key.private_bytes(pem, pkcs8, serialization.NoEncryption())
