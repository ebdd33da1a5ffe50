"""The process that a node's namespaces belong to. It arranges the file system as a node's daemons expect it, and waits.

It runs in new network and mount namespaces, which the daemons enter. Nothing that it mounts is seen outside, and all
of it goes with the last process of the node. Standard library only: it runs under `python -I -S`.
"""

import signal
import subprocess
import sys
from pathlib import Path

# What a kubelet insists on. It would write these for the whole machine, where they would stay; shown what it wants,
# it writes nothing.
KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def main(folder: str) -> None:
    """Mount, say so by a file named `ready`, and wait for ever."""
    home = Path(folder)
    for kind, place in (("run", "/run"), ("shm", "/dev/shm")):  # noqa: S108 - the mount point itself
        _mount("-t", "tmpfs", kind, place)
    for own, place in (("lib", "/var/lib"), ("log", "/var/log")):
        _mount("--bind", str(home / own), place)
    for name, value in KERNEL.items():
        shown = Path("/run/kernel") / name
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(value)
        _mount("--bind", str(shown), f"/proc/sys/{name}")
    # A container with user ids of its own may mount a /proc only where one is to be seen of which nothing is covered.
    Path("/run/proc").mkdir()
    _mount("-t", "proc", "proc", "/run/proc")
    for forwards in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):  # of this network namespace alone
        if (kernel := Path("/proc/sys/net") / forwards).exists():
            kernel.write_text("1")
    (home / "ready").touch()
    signal.pause()


def _mount(*arguments: str) -> None:
    subprocess.run(["/usr/bin/mount", "-n", *arguments], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
