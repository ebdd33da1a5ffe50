"""Processes that outlive the command that started them: start, look at, pause, kill.

A process is known by its record (see `launch`): its pid together with the moment it was started. A pid alone
is not an identity, the kernel hands it out again, so a record whose start time does not match names nobody.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.cluster import launch
from hack.cluster.errors import ClusterError

# What a component may know of the shell that started it. ETCD_*, KUBE* and KWOK_* would configure it.
INHERITED = ("PATH", "TMPDIR", "LANG", "TZ")


@dataclass(frozen=True)
class Process:
    """One component of a cluster, running or not."""

    name: str
    pidfile: Path
    log: Path

    @property
    def pid(self) -> int | None:
        """Its pid, if it lives."""
        found = self._find()
        return found[0] if found else None

    @property
    def state(self) -> str:
        """`running`, `paused` or `stopped`."""
        found = self._find()
        if not found:
            return "stopped"
        return "paused" if found[1] == "T" else "running"

    def start(self, argv: Sequence[str] = ()) -> None:
        """Start it detached, with `argv` or as it was started last."""
        if self.pid is not None:
            raise ClusterError(f"{self.name} runs already.")
        argv = argv or self._record()["argv"]
        self.pidfile.unlink(missing_ok=True)
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(self.pidfile), *argv]
        # Not subprocess: a Popen object insists on being waited for, and these are meant to be left.
        os.posix_spawn(
            sys.executable,
            launcher,
            _environment(home=self.pidfile.parent),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
        )
        wait_until(self.pidfile.exists, 10, f"{self.name} did not come to life")

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers, as on a machine that hangs."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it at once and wait until it is gone. `start()` brings it back."""
        self._signal(signal.SIGKILL)
        wait_until(lambda: self._find() is None, 10, f"{self.name} does not die")

    def log_tail(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        found = self._find()
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found[0], number)

    def _find(self) -> tuple[int, str] | None:
        """Its pid and scheduler state, if the process in the record still is the one that wrote it."""
        record = self._record()
        if not record:
            return None
        pid: int = record["pid"]
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # where we are the parent, a dead one stays a zombie until asked for
        seen = launch.look(pid)
        if seen is None or seen[0] != record["started"] or (seen[1] == "Z" and not _has_threads(pid)):
            return None
        return pid, seen[1]

    def _record(self) -> dict[str, Any]:
        try:
            record: dict[str, Any] = json.loads(self.pidfile.read_text())
        except FileNotFoundError:
            return {}
        return record


def _has_threads(pid: int) -> bool:
    """Whether other threads of a process whose first one died still run: they keep its ports taken."""
    try:
        return len([*Path(f"/proc/{pid}/task").iterdir()]) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool], seconds: float, complaint: str, *, every: float = 0.02) -> None:
    """Poll `condition` until it holds; raise `complaint` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"{complaint} (waited {seconds:.0f} s)")
        time.sleep(every)


def _environment(home: Path) -> Mapping[str, str]:
    kept = {key: os.environ[key] for key in INHERITED if key in os.environ}
    return {**kept, "HOME": str(home)}  # not the user's, where ~/.kube and ~/.kwok may be
