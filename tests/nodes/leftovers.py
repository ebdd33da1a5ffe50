"""What a tenant might leave on a node, planted by hand, and the steps that clean it away."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hack.cluster.realnodes import SANITIZE, cgroups, join, plan, run
from hack.cluster.state import State

Raw = dict[str, Any]

PODS = "/var/lib/kubelet/pods"
VOLUME = f"{PODS}/11111111-2222-3333-4444-555555555555/volumes/kubernetes.io~empty-dir"
SCRATCH = "/var/lib/scratch"
LOG = "/var/log/pods/lease-gone_train_11111111-2222-3333-4444-555555555555"
CONTAINERD = "/run/containerd"
SHM = "/dev/shm"  # noqa: S108 - the node's own, to be cleaned


def step(name: str, *args: str, host: tuple[str, ...] = (), **pod: object) -> Raw:
    """A step that runs the cleaner with every right on the node, with these folders of it in their places."""
    mounts = [{"name": f"host{number}", "mountPath": path} for number, path in enumerate(host)]
    volumes = [{"name": f"host{number}", "hostPath": {"path": path}} for number, path in enumerate(host)]
    container = {
        "name": "clean",
        "image": SANITIZE,
        "args": args,
        "securityContext": {"privileged": True},
        "volumeMounts": mounts,
    }
    spec = {"containers": [container], "volumes": volumes, **pod}
    return {"name": name, "timeout": "1m", "template": {"spec": {"backoffLimit": 0, "template": {"spec": spec}}}}


STEPS = (
    step("processes", "processes", "daemons", host=(CONTAINERD,), hostPID=True),
    step("volumes", "volumes", PODS, host=(CONTAINERD, PODS)),
    step(
        "files",
        *("files", f"{SHM}/*", f"{SCRATCH}/*", "/var/log/pods/lease-*"),
        host=(SHM, SCRATCH, "/var/log/pods"),
    ),
    step("images", "images", "images.test/pause", host=(CONTAINERD,)),
)


def plant(state: State, node: str) -> None:
    """Leave files in places that outlive a pod, one of them in a volume that is still mounted."""
    run(state, node, "mkdir", "-p", f"{VOLUME}/left", f"{VOLUME}/mounted", SCRATCH, LOG)
    run(state, node, "mount", "-t", "tmpfs", "left", f"{VOLUME}/mounted")
    for path in files():
        run(state, node, "sh", "-c", f"echo secret > {path}")


def files() -> tuple[str, ...]:
    """What `plant` leaves."""
    return (
        f"{VOLUME}/left/data",
        f"{VOLUME}/mounted/data",
        f"{SHM}/left",
        f"{SCRATCH}/left",
        f"{LOG}/0.log",
    )


def there(state: State, node: str) -> list[str]:
    """Of these, those that a node has."""
    tests = "; ".join(f"test ! -e {path} || echo {path}" for path in files())
    return run(state, node, "sh", "-c", tests).split()


def images(state: State, node: str) -> set[str]:
    """The names of the images that a node has, but for those by which containerd calls them itself."""
    listed = run(state, node, str(state.bin / "ctr"), "-n", "k8s.io", "images", "list", "-q").split()
    return {name for name in listed if not name.startswith("sha256:") and "@" not in name}


@contextmanager
def stray(state: State, node: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the node that belongs to no daemon and to no container of it."""
    group = f"{plan.cgroup(state)}/{node}/left"
    # Of version 1 a new cpuset takes nobody in; the others are the node's as well.
    trees = [root for root in cgroups.hierarchies() if root.name != "cpuset"]
    for root in trees:
        (root / group).mkdir()
    command = [sys.executable, "-I", "-S", str(Path(join.__file__)), group, "/usr/bin/sleep", "600"]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()
    for root in trees:
        (root / group).rmdir()
