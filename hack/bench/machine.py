"""What the figures were measured on."""

import os
import platform
from pathlib import Path


def describe_machine(sharing: str) -> None:
    """Print the processors, the memory and the Python, and who shares them."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.partition(":")[2].strip() for line in cpuinfo() if line.startswith("model name")), platform.processor()
    )
    print(f"machine: {os.cpu_count()} x {model}, {memory:.0f} GiB, Python {platform.python_version()}; {sharing}\n")


def cpuinfo() -> list[str]:
    """The lines of /proc/cpuinfo, where there is one."""
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
