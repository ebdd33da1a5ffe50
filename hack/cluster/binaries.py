"""The control plane's binaries: from KUBEBUILDER_ASSETS, from the cache, or compiled into the cache once.

What is compiled is pinned by `modules/*/go.mod` and `go.sum`, and the cache is keyed by their content. So a
cache that CI restores needs no Go, and changing a pin compiles anew.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from hack.cluster import golang
from hack.cluster.errors import ClusterError

Say = Callable[[str], None]


@dataclass(frozen=True)
class Module:
    """A folder in `modules/`: packages that are compiled by one call of Go, by the name of their binary."""

    name: str
    packages: dict[str, str]


K8S = "k8s.io/kubernetes/cmd"
MODULES = (
    Module("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Module("kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}),
    Module(
        "kubernetes",
        {name: f"{K8S}/{name}" for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")},
    ),
    Module("helm", {"helm": "helm.sh/helm/v4/cmd/helm"}),
)
ALL = tuple(name for module in MODULES for name in module.packages)


def cache() -> Path:
    """Where compiled binaries and, if need be, Go are kept: outside the checkout, shared by all of them."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SUBLET_CACHE") or Path(base) / "sublet") / "cluster"


def kubernetes_version(modules: Path = golang.MODULES) -> str:
    """The version pinned in `modules/kubernetes/go.mod`."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)$", (modules / "kubernetes/go.mod").read_text(), re.MULTILINE)
    if not found:
        raise ClusterError("modules/kubernetes/go.mod does not require k8s.io/kubernetes.")
    return found[1]


def build_flags(module: str, modules: Path = golang.MODULES) -> list[str]:
    """What Go is told besides the packages."""
    stamp = ""
    if module == "kubernetes":
        version = kubernetes_version(modules)
        major, minor = version.removeprefix("v").split(".")[:2]
        base = "k8s.io/component-base/version"
        stamp = (
            f" -X {base}.gitVersion={version} -X {base}.gitMajor={major} -X {base}.gitMinor={minor}"
            f" -X k8s.io/client-go/pkg/version.gitVersion={version}"
        )
    return ["-trimpath", "-ldflags", f"-s -w{stamp}"]


def content_hash(modules: Path = golang.MODULES) -> str:
    """What the binaries depend on. The `go` directive in each go.mod stands for the compiler."""
    digest = hashlib.sha256(f"{platform.system()}/{platform.machine()}\n".encode())
    for module in MODULES:
        digest.update("\n".join(build_flags(module.name, modules)).encode())
        for file in ("go.mod", "go.sum"):
            digest.update(f"{module.name}/{file}\n".encode())
            digest.update((modules / module.name / file).read_bytes())
    return digest.hexdigest()[:16]


def resolve(say: Say, names: Collection[str] = ALL) -> dict[str, Path]:
    """The path of each binary; what is found nowhere is compiled."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    ready = Path(assets).expanduser().absolute() if assets else None
    if ready and not ready.is_dir():
        raise ClusterError(f"KUBEBUILDER_ASSETS={assets} is not a folder.")
    given = {name: ready / name for name in names if ready and os.access(ready / name, os.X_OK)}
    folder = cache() / content_hash()
    own = {name: folder / name for name in names if name not in given}
    if not all(path.exists() for path in own.values()):
        _compile(folder, set(own), say)
    return given | own


def _compile(folder: Path, names: set[str], say: Say) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_suffix(".lock"), say):
        for draft in folder.glob("*/"):
            shutil.rmtree(draft)  # of a compile that was killed
        missing = [module for module in MODULES if _lacking(module, names, folder)]
        if not missing:
            return  # another `up` compiled it while this one waited
        go = golang.find(cache(), say)
        say(f"compiling {', '.join(module.name for module in missing)}: once, about 10 minutes on 2 cores")
        for module in missing:
            _build(go, module, _lacking(module, names, folder), folder, say)


def _lacking(module: Module, names: set[str], folder: Path) -> list[str]:
    return [name for name in module.packages if name in names and not (folder / name).exists()]


def _build(go: Path, module: Module, names: list[str], folder: Path, say: Say) -> None:
    with tempfile.TemporaryDirectory(prefix=f"{module.name}-", dir=folder) as draft:
        log = Path(draft) / "build.log"
        out = Path(draft) / "bin"
        out.mkdir()
        packages = [module.packages[name] for name in names]
        command = [str(go), "build", *build_flags(module.name), "-o", f"{out}/", *packages]
        with log.open("w") as file:
            code = _run(command, golang.MODULES / module.name, file.fileno(), module.name, say)
        if code:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise ClusterError(
                f"Compiling {module.name} failed:\n{tail}\n"
                "If modules could not be downloaded, check the network and `go env GOPROXY`; if the disk is "
                "full, Go needs about 8 GB. What is compiled is kept: run the same command again."
            )
        for name, package in zip(names, packages, strict=True):
            # Go names the binary after the package, or after the module where a version ends the path.
            last = re.sub(r"/v\d+$", "", package).rpartition("/")[2]
            (out / last).replace(folder / name)


def _run(command: list[str], cwd: Path, log: int, name: str, say: Say) -> int:
    started = time.monotonic()
    terminal = sys.stderr.isatty()
    compiler = subprocess.Popen(command, cwd=cwd, env=golang.environment(), stdout=log, stderr=log)
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = compiler.wait(timeout=1 if terminal else 20)
                break
            elapsed = f"compiling {name} {time.monotonic() - started:.0f} s"
            if terminal:
                print(f"\r{elapsed} ", end="", file=sys.stderr, flush=True)
            else:
                say(elapsed)
    finally:
        compiler.terminate()
        compiler.wait()
    if terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    say(f"compiled {name} in {time.monotonic() - started:.0f} s" if not code else f"compiling {name} failed")
    return code


@contextlib.contextmanager
def _lock(path: Path, say: Say) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process that compiles the same")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def link(binaries: dict[str, Path], folder: Path) -> None:
    """Gather binaries of different origin in one folder, to be put on a PATH."""
    for name, path in binaries.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(path)
