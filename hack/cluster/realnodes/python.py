"""The image of probe pods: this machine's Python with as much of its library as the program needs.

It stands for the operator's image, whose probe pods run the same program; building that one takes Docker.
"""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from hack.cluster.realnodes.images import Image

PROGRAM = "sublet.doctor.probe"
# What the interpreter starts with, what the program imports, and what names and texts need once they are looked at.
_LOADED = f"""
import sys, {PROGRAM}, encodings.idna, encodings.ascii, runpy, pkgutil, importlib.util, importlib.machinery
print("\\n".join(sorted({{m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)}})))
"""
_HOME = "usr/local"


def image() -> Image:
    """A `python` on the PATH that finds the package."""
    interpreter = Path(sys.executable).resolve()
    version = f"python{sysconfig.get_python_version()}"
    library = f"{_HOME}/lib/{version}"
    files = {f"{_HOME}/bin/python": interpreter}
    standard = Path(sysconfig.get_paths()["stdlib"]).resolve()
    for source in _modules():
        inside = source.relative_to(standard) if source.is_relative_to(standard) else None
        if inside is None or "site-packages" in inside.parts:
            parts = source.parts
            inside = Path("site-packages", *parts[len(parts) - 1 - parts[::-1].index("sublet") :])
        files[f"{library}/{inside}"] = source
    files[f"{library}/os.py"] = standard / "os.py"  # by which an interpreter knows its library
    for binary in [*files.values()]:
        if binary == interpreter or binary.suffix == ".so":
            files |= {str(path).lstrip("/"): path for path in _shared(binary)}
    return Image(
        files,
        ("python", "-I", "-m", PROGRAM),
        {
            "PATH": f"/{_HOME}/bin",
            "LD_LIBRARY_PATH": ":".join(sorted({f"/{Path(p).parent}" for p in files if ".so." in p})),
            "LANG": "C.UTF-8",
        },
    )


def _modules() -> list[Path]:
    done = subprocess.run([sys.executable, "-I", "-c", _LOADED], capture_output=True, text=True, check=True)
    return [Path(line).resolve() for line in done.stdout.splitlines()]


def _shared(binary: Path) -> list[Path]:
    """The shared libraries that a binary is loaded with, and the loader."""
    told = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", told)]
