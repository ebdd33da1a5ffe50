"""The first thing each component's process runs: leave a record, then become the component.

The record is written by the process itself, before it turns into etcd or an API server. So there is no
moment at which a killed `up` leaves a process behind that `down` knows nothing of. Standard library only and
no imports from this package: it runs under `python -I -S`, which starts in a hundredth of a second.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def look(pid: int) -> tuple[str, str] | None:
    """When `pid` was started and its scheduler state (R, S, T, Z, ...), or None where no such process is."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _look_with_ps(pid)
    try:
        # The command's name comes second, in parentheses, and may itself hold spaces and parentheses.
        fields = stat.read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return f"{boot}/{fields[19]}", fields[0]


def _look_with_ps(pid: int) -> tuple[str, str] | None:
    ps = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    answer = subprocess.run(ps, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    state, _, started = answer.stdout.strip().partition(" ")
    return (started.strip(), state[0]) if state else None


def main(pidfile: str, *argv: str) -> None:
    """Detach from the caller's session, write the record and become `argv`."""
    os.setsid()
    pid = os.getpid()
    seen = look(pid)
    record = {"pid": pid, "started": seen[0] if seen else "", "argv": argv}
    draft = Path(f"{pidfile}.{pid}")
    draft.write_text(json.dumps(record, indent=2))
    draft.replace(pidfile)
    os.chdir(draft.parent)
    os.execv(argv[0], argv)  # noqa: S606 - to become the component, without a shell, is the purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
