"""The binaries of control plane and nodes: from KUBEBUILDER_ASSETS, from the cache, or compiled into the cache once.

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
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.cluster import golang
from hack.cluster.errors import ClusterError

Say = Callable[[str], None]


@dataclass(frozen=True)
class Module:
    """A folder in `modules/`: packages that are compiled by one call of Go, by the name of their binary.

    With `cgo` they are compiled with the machine's C compiler and these build tags.
    """

    name: str
    packages: dict[str, str]
    cgo: bool = False
    tags: str = ""


K8S = "k8s.io/kubernetes/cmd"
CONTAINERD = "github.com/containerd/containerd/v2/cmd"
CNI = "github.com/containernetworking/plugins/plugins"
OURS = "sublet.dev/hack/cluster"
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
# What real nodes run. Each is cached by itself, so that a change to one of our own compiles no kubelet.
NODE_MODULES = (
    Module("node-kubernetes", {name: f"{K8S}/{name}" for name in ("kubelet", "kube-proxy")}),
    Module("containerd", {name: f"{CONTAINERD}/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")}),
    Module("runc", {"runc": "github.com/opencontainers/runc"}, cgo=True, tags="seccomp"),
    Module(
        "cni",
        {
            "ptp": f"{CNI}/main/ptp",
            "loopback": f"{CNI}/main/loopback",
            "host-local": f"{CNI}/ipam/host-local",
            "portmap": f"{CNI}/meta/portmap",
        },
    ),
    Module("dns", {"coredns": f"{OURS}/dns"}),
    Module("gpuplugin", {"gpuplugin": f"{OURS}/gpuplugin"}),
    Module("images", {name: f"{OURS}/images/{name}" for name in ("pause", "tenant", "sanitize")}),
)
# What tests judge with, and no cluster runs.
TEST_MODULES = (Module("flows", {"flows": f"{OURS}/flows"}),)
# Upstream's suite for NetworkPolicies, and what its pods run.
SUITE_MODULES = (Module("netpol", {"netpol": f"{OURS}/netpol", "agnhost": "k8s.io/kubernetes/test/images/agnhost"}),)


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


def build_flags(module: Module, modules: Path = golang.MODULES) -> list[str]:
    """What Go is told besides the packages."""
    stamp = ""
    if module.name in ("kubernetes", "node-kubernetes"):
        version = kubernetes_version(modules)
        major, minor = version.removeprefix("v").split(".")[:2]
        base = "k8s.io/component-base/version"
        stamp = (
            f" -X {base}.gitVersion={version} -X {base}.gitMajor={major} -X {base}.gitMinor={minor}"
            f" -X k8s.io/client-go/pkg/version.gitVersion={version}"
        )
    tags = [f"-tags={module.tags}"] if module.tags else []
    # Where the main package is in this repository, Go would stamp its commit and compile anew after each.
    ours = ["-buildvcs=false"] if any(package.startswith(OURS) for package in module.packages.values()) else []
    return ["-trimpath", *tags, *ours, "-ldflags", f"-s -w{stamp}"]


def content_hash(modules: Path = golang.MODULES, of: Sequence[Module] = MODULES) -> str:
    """What the binaries depend on. The `go` directive in each go.mod stands for the compiler."""
    digest = hashlib.sha256(f"{platform.system()}/{platform.machine()}\n".encode())
    for module in of:
        digest.update("\n".join(build_flags(module, modules)).encode())
        for path in sorted((modules / module.name).rglob("*")):
            if path.is_file():
                digest.update(f"{module.name}/{path.relative_to(modules / module.name).as_posix()}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def compiled_for_nodes() -> bool:
    """Whether everything that real nodes run lies in the cache."""
    return all((cache() / content_hash(of=(m,)) / name).exists() for m in NODE_MODULES for name in m.packages)


def resolve_for_nodes(say: Say) -> dict[str, Path]:
    """The path of each binary that a real node runs, and of the programs in its images."""
    found: dict[str, Path] = {}
    for module in NODE_MODULES:
        found |= resolve(say, tuple(module.packages), (module,))
    return found


def resolve(say: Say, names: Collection[str] = ALL, of: Sequence[Module] = MODULES) -> dict[str, Path]:
    """The path of each binary of these modules; what is found nowhere is compiled."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    ready = Path(assets).expanduser().absolute() if assets else None
    if ready and not ready.is_dir():
        raise ClusterError(f"KUBEBUILDER_ASSETS={assets} is not a folder.")
    given = {name: ready / name for name in names if ready and os.access(ready / name, os.X_OK)}
    folder = cache() / content_hash(of=of)
    own = {name: folder / name for name in names if name not in given}
    if not all(path.exists() for path in own.values()):
        _compile(folder, set(own), of, say)
    return given | own


def _compile(folder: Path, names: set[str], of: Sequence[Module], say: Say) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_suffix(".lock"), say):
        for draft in folder.glob("*/"):
            shutil.rmtree(draft)  # of a compile that was killed
        missing = [module for module in of if _lacking(module, names, folder)]
        if not missing:
            return  # another `up` compiled it while this one waited
        go = golang.find(cache(), say)
        say(f"compiling {', '.join(module.name for module in missing)}: once, for minutes")
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
        command = [str(go), "build", *build_flags(module), "-o", f"{out}/", *packages]
        with log.open("w") as file:
            code = _run(command, module, file.fileno(), say)
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


def _run(command: list[str], module: Module, log: int, say: Say) -> int:
    name, cwd = module.name, golang.MODULES / module.name
    started = time.monotonic()
    terminal = sys.stderr.isatty()
    compiler = subprocess.Popen(command, cwd=cwd, env=golang.environment(cgo=module.cgo), stdout=log, stderr=log)
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
