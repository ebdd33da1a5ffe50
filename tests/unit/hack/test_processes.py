"""A component's process: found again by its record, and never confused with another."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster.errors import ClusterError
from hack.cluster.processes import Process, wait_until
from hack.cluster.state import ROOT

SLEEP = (str(shutil.which("sleep")), "300")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A process that is not started yet, and that no test leaves behind."""
    process = Process("sleeper", tmp_path / "sleeper.json", tmp_path / "sleeper.log")
    yield process
    process.kill()


def test_a_started_process_is_running_and_a_killed_one_is_gone(process: Process) -> None:
    """`start` returns once the record is there, `kill` once the process is not."""
    assert process.state == "stopped"
    process.start(SLEEP)
    assert process.state == "running"
    process.kill()
    assert process.state == "stopped"
    assert process.pid is None


def test_it_starts_again_as_it_was_started_last(process: Process) -> None:
    """A test that killed the API server brings it back without knowing its flags."""
    process.start(SLEEP)
    first = process.pid
    process.kill()
    process.start()
    assert process.state == "running"
    assert process.pid != first


def test_it_is_not_started_twice(process: Process) -> None:
    """The second record would hide the first process from `down`."""
    process.start(SLEEP)
    with pytest.raises(ClusterError, match="runs already"):
        process.start(SLEEP)


def test_it_can_be_frozen_and_thawed(process: Process) -> None:
    """Paused is neither running nor stopped, and can be killed too."""
    process.start(SLEEP)
    process.pause()
    wait_until(lambda: process.state == "paused", 5, "not paused")
    process.resume()
    wait_until(lambda: process.state == "running", 5, "not resumed")
    process.pause()
    process.kill()
    assert process.state == "stopped"


def test_whoever_got_a_recycled_pid_is_left_alone(process: Process) -> None:
    """A pid whose process started at another moment than the record says belongs to a stranger."""
    process.start(SLEEP)
    record = json.loads(process.pidfile.read_text())
    process.pidfile.write_text(json.dumps({**record, "started": "at another time"}))
    assert process.state == "stopped"
    process.kill()
    process.pidfile.write_text(json.dumps(record))
    assert process.pid == record["pid"]


def test_it_outlives_the_command_that_started_it(process: Process) -> None:
    """`up` returns, the cluster stays."""
    script = (
        "import pathlib, sys; from hack.cluster.processes import Process; "
        "Process('sleeper', *map(pathlib.Path, sys.argv[1:3])).start(sys.argv[3:])"
    )
    command = [sys.executable, "-c", script, str(process.pidfile), str(process.log), *SLEEP]
    subprocess.run(command, check=True, cwd=ROOT)
    assert process.state == "running"


def test_what_it_prints_is_in_its_log(process: Process) -> None:
    """Both streams, and the end of them is what a failed start shows."""
    process.start([sys.executable, "-c", "import sys; print('out', flush=True); sys.exit('no such flag')"])
    wait_until(lambda: process.pid is None, 10, "still running")
    assert process.log_tail() == "out\nno such flag"
    assert process.log_tail(lines=1) == "no such flag"


def test_components_do_not_see_the_users_configuration(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KUBECONFIG, ETCD_* or KWOK_* of the shell would configure them."""
    monkeypatch.setenv("KUBECONFIG", "/home/user/production")
    monkeypatch.setenv("ETCD_NAME", "theirs")
    process.start([sys.executable, "-c", "import os; print(*sorted(os.environ), sep='\\n')"])
    wait_until(lambda: process.pid is None, 10, "still running")
    assert {"KUBECONFIG", "ETCD_NAME"}.isdisjoint(process.log_tail().splitlines())
