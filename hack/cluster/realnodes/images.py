"""Images of static binaries, in an OCI image layout."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NAME = "org.opencontainers.image.ref.name"


def write(layout: Path, programs: Mapping[str, Sequence[Path]]) -> None:
    """Write for each NAME an image `NAME:1` of these binaries, whose entrypoint is the first one, as /NAME."""
    (layout / "blobs/sha256").mkdir(parents=True)
    manifests = [_image(layout, name, binaries) for name, binaries in programs.items()]
    (layout / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))


def _image(layout: Path, name: str, binaries: Sequence[Path]) -> dict[str, Any]:
    tree = io.BytesIO()
    with tarfile.open(fileobj=tree, mode="w") as archive:
        for number, path in enumerate(binaries):
            binary = path.read_bytes()
            entry = tarfile.TarInfo(path.name if number else name)
            entry.size, entry.mode = len(binary), 0o755
            archive.addfile(entry, io.BytesIO(binary))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": [f"/{name}"], "Env": ["PATH=/"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(tree.getvalue())]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(layout, CONFIG, json.dumps(config).encode()),
        "layers": [_blob(layout, LAYER, gzip.compress(tree.getvalue(), compresslevel=1, mtime=0))],
    }
    described = _blob(layout, MANIFEST, json.dumps(manifest).encode())
    return {**described, "annotations": {NAME: f"{name}:1"}}


def _blob(layout: Path, kind: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    (layout / "blobs" / digest.replace(":", "/")).write_bytes(content)
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
