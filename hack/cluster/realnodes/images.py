"""Images of one static binary each, in an OCI image layout."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "org.opencontainers.image.ref.name"


def add(layout: Path, name: str, program: Path, tag: str = "1") -> None:
    """Add to a layout, which may be none yet, an image `NAME:TAG` whose entrypoint is /NAME."""
    (layout / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (layout / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    index, draft = layout / "index.json", layout / "index.json.new"
    manifests = json.loads(index.read_text())["manifests"] if index.exists() else []
    manifests.append(_image(layout, name, tag, program.read_bytes()))
    draft.write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))
    draft.replace(index)


def _image(layout: Path, name: str, tag: str, binary: bytes) -> dict[str, Any]:
    tree = io.BytesIO()
    with tarfile.open(fileobj=tree, mode="w") as archive:
        entry = tarfile.TarInfo(name)
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
        "layers": [_blob(layout, LAYER, tree.getvalue())],
    }
    described = _blob(layout, MANIFEST, json.dumps(manifest).encode())
    return {**described, "annotations": {NAME: f"{name}:{tag}"}}


def _blob(layout: Path, kind: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    (layout / "blobs" / digest.replace(":", "/")).write_bytes(content)
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
