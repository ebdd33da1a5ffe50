"""The second thing a node's process runs, after `launch`: join the node's cgroup, then become the daemon.

So whatever it starts is found by its cgroup, also when nobody noted it. Standard library only and no imports from
this package: it runs under `python -I -S`.
"""

import os
import sys
from pathlib import Path


def main(group: str, *argv: str) -> None:
    """Join `group` in every tree of cgroups that has it, and become `argv`."""
    root = Path("/sys/fs/cgroup")
    for tree in (root, *root.glob("*/")):
        members = tree / group / "cgroup.procs"
        if members.exists() and not tree.is_symlink():
            members.write_text(str(os.getpid()))
    os.execv(argv[0], argv)  # noqa: S606 - to become the daemon, without a shell, is the purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
