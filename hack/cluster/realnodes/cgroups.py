"""Control groups by their file system, of version 1 and 2: made, joined, emptied, removed.

Of version 1 there is a tree for each controller, of version 2 one. A name stands for the same path in all of them.
"""

import contextlib
import os
import signal
from functools import partial
from pathlib import Path

from hack.cluster.processes import wait_until

ROOT = Path("/sys/fs/cgroup")
DAEMONS = "daemons"


def hierarchies(root: Path = ROOT) -> list[Path]:
    """The root of each tree."""
    if (root / "cgroup.controllers").exists():
        return [root]
    return sorted(path for path in root.glob("*/") if (path / "cgroup.procs").exists() and not path.is_symlink())


def make(name: str) -> None:
    """Make a node's group, and in it one for its daemons; beside that the kubelet makes those of pods."""
    for root in hierarchies():
        (root / name / DAEMONS).mkdir(parents=True)
        if (root / "cgroup.controllers").exists():
            _hand_down(root, name)
        elif (root / "cpuset.cpus").exists():
            _share_processors(root, name)


def _hand_down(root: Path, name: str) -> None:
    """Of version 2 a group has the controllers that its parent hands down, and a kubelet wants them all."""
    group = root
    for part in Path(name).parts:
        controllers = (group / "cgroup.controllers").read_text().split()
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in controllers))
        group /= part


def _share_processors(root: Path, name: str) -> None:
    """Of version 1 a new cpuset has no processors, and nothing can run in it."""
    group = root
    for part in (*Path(name).parts, DAEMONS):
        parent, group = group, group / part
        for file in ("cpuset.cpus", "cpuset.mems"):
            (group / file).write_text((parent / file).read_text())


def processes(name: str) -> set[int]:
    """Every process in the group or below it, in any tree."""
    found: set[int] = set()
    for root in hierarchies():
        for file in (root / name).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):  # the group went while it was looked at
                found.update(int(pid) for pid in file.read_text().split())
    return found


def remove(name: str) -> None:
    """Kill every process in the group, and remove it; there may be none."""

    def empty() -> bool:
        living = processes(name)
        for pid in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not living

    wait_until(empty, 30, f"processes of {name} do not die")
    for root in hierarchies():
        wait_until(partial(_remove_tree, root / name), 10, f"{root / name} cannot be removed")


def _remove_tree(group: Path) -> bool:
    """Whether the group is gone. A group whose last process died a moment ago is still busy."""
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
    return not group.exists()
