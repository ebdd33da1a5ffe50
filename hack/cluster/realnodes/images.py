"""Images of a few files each, in an OCI image layout."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Image:
    """What is in an image.

    Attributes:
        files: The content of each file, by its path from the root.
        entrypoint: What it runs.
        environment: Its variables.
    """

    files: Mapping[str, Path]
    entrypoint: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/"})


def of_binaries(*binaries: Path) -> Image:
    """An image of static binaries, each in the root by its name; it runs the first."""
    return Image({binary.name: binary for binary in binaries}, (f"/{binaries[0].name}",))


def add(layout: Path, name: str, image: Image, tag: str = "1") -> None:
    """Add an image `NAME:TAG` to a layout, which may be none yet."""
    (layout / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (layout / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    index, draft = layout / "index.json", layout / "index.json.new"
    manifests = json.loads(index.read_text())["manifests"] if index.exists() else []
    manifests.append(_image(layout, name, tag, image))
    draft.write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))
    draft.replace(index)


def _image(layout: Path, name: str, tag: str, image: Image) -> dict[str, Any]:
    tree = io.BytesIO()
    with tarfile.open(fileobj=tree, mode="w") as archive:
        for folder in _folders(image.files):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for path, source in sorted(image.files.items()):
            content = source.read_bytes()
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": [f"{key}={value}" for key, value in image.environment.items()],
        },
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


def _folders(files: Mapping[str, Path]) -> Iterator[str]:
    """Every folder that a file is in, the outer ones first."""
    found = {str(parent) for path in files for parent in Path(path).parents} - {"."}
    yield from sorted(found)


def _blob(layout: Path, kind: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    (layout / "blobs" / digest.replace(":", "/")).write_bytes(content)
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
