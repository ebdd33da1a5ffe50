"""The folder of a cluster, its lock and its ports."""

import fcntl
import socket
from pathlib import Path

import pytest

from hack.cluster import components
from hack.cluster.errors import ClusterError
from hack.cluster.state import PORTS, State, free_ports


@pytest.mark.parametrize("name", ["", "..", "a/b", "Upper", "-a", "a" * 41])
def test_a_name_that_is_no_label_is_refused(name: str) -> None:
    """It becomes a folder that `down` removes."""
    with pytest.raises(ClusterError, match="no cluster name"):
        State(name)


def test_facts_are_there_once_the_start_succeeded(tmp_path: Path) -> None:
    """A cluster without facts is one whose start did not come to its end."""
    state = State("one", tmp_path)
    state.prepare()
    assert state.facts() == {}
    state.save(server="https://127.0.0.1:1")
    assert state.facts() == {"server": "https://127.0.0.1:1"}


@pytest.mark.parametrize(("keep", "left"), [(True, ["logs"]), (False, [])])
def test_removing_can_spare_the_logs(tmp_path: Path, keep: bool, left: list[str]) -> None:  # noqa: FBT001 - a table's column
    """And follows no link out of the folder."""
    outside = tmp_path / "kubectl"
    outside.touch()
    state = State("one", tmp_path / "clusters")
    state.parent.mkdir()
    state.prepare()
    (state.bin / "kubectl").symlink_to(outside)
    state.remove(keep_logs=keep)
    assert [path.name for path in state.folder.glob("*")] == left
    assert outside.exists()


def test_one_name_is_worked_on_by_one_command_at_a_time(tmp_path: Path) -> None:
    """The lock is outside the folder, which `down` removes while it holds it."""
    state = State("one", tmp_path)
    with state.lock():
        state.remove()
        lock = next(tmp_path.glob(".one*"))
        with lock.open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_port_in_use_is_not_free() -> None:
    """And each is given once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_ports(1)[0]))
        taken.listen()
        found = free_ports(len(PORTS) // 2)
        assert taken.getsockname()[1] not in found
    assert len(set(found)) == len(found)


def test_nothing_of_the_control_plane_leaves_the_loopback_address(tmp_path: Path) -> None:
    """No component serves other machines, and none skips verification or authorization."""
    ports = dict.fromkeys(components.NAMES, 20000)
    plane = components.control_plane(State("one", tmp_path), ports, audit=True)
    assert tuple(component.name for component in plane) == components.NAMES
    flags = [flag for component in plane for flag in component.argv]
    assert "--authorization-mode=Node,RBAC" in flags
    assert not [flag for flag in flags if "0.0.0.0" in flag or "insecure" in flag]  # noqa: S104 - looked for
    assert {flag for flag in flags if flag.startswith("--bind-address")} == {"--bind-address=127.0.0.1"}
