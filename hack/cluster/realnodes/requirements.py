"""Whether this machine can run real nodes, and what to install where it cannot yet."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from hack.cluster.realnodes import cgroups

# By the Debian package that has it.
PROGRAMS = {"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux", "mount": "mount", "nft": "nftables"}
TO_COMPILE = {"gcc": "gcc", "pkg-config": "pkg-config"}
LIBRARY = "libseccomp-dev"


@dataclass(frozen=True)
class Lack:
    """Why there are no real nodes here: a sentence, and whether packages would help."""

    sentence: str
    packages: tuple[str, ...] = ()


def lack(*, compiled: bool) -> Lack | None:
    """What is missing on this machine, if anything; a compiler is needed until everything is `compiled`."""
    if sys.platform != "linux":
        return Lack(f"Real nodes need Linux, and this is {sys.platform}.")
    if os.geteuid() != 0:
        return Lack("Real nodes need root: namespaces, mounts and cgroups are made.")
    if missing := packages(compiled=compiled):
        return Lack(f"Real nodes need {', '.join(missing)}: `make node-packages` installs them on Debian.", missing)
    if not _is_allowed():
        return Lack("Real nodes need namespaces and cgroups, which root may not make here, as in most containers.")
    return None


def packages(*, compiled: bool) -> tuple[str, ...]:
    """The Debian packages that are missing, by name."""
    programs = PROGRAMS if compiled else PROGRAMS | TO_COMPILE
    found = {package for program, package in programs.items() if not shutil.which(program)}
    if not compiled and ("pkg-config" in found or not _has_library()):
        found.add(LIBRARY)
    return tuple(sorted(found))


def _is_allowed() -> bool:
    tried = subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False)
    return tried.returncode == 0 and all(os.access(root, os.W_OK) for root in cgroups.hierarchies())


def _has_library() -> bool:
    return subprocess.run(["pkg-config", "--exists", "libseccomp"], check=False).returncode == 0
