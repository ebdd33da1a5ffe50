"""The program of a probe pod, on this machine's loopback: what it says of what it dials, and what it finds."""

import itertools
import os
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from sublet.doctor import probe

WORD = "a word that nobody knows"


@pytest.fixture(scope="module")
def port() -> int:
    """A port on which the program listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    threading.Thread(target=probe.listen, args=(number, WORD.encode(), 60), daemon=True).start()
    # It opens one socket after another.
    for protocol, host in itertools.product(("TCP", "UDP"), ("127.0.0.1", "::1")):
        while probe.dial({"protocol": protocol, "host": host, "port": number, "word": WORD}, 1) != "connected":
            pass
    return number


def dial(port: int, **changes: Any) -> str:  # noqa: ANN401 - a field of any kind
    """What comes of dialling the listening program."""
    return probe.dial({"protocol": "TCP", "host": "127.0.0.1", "port": port, "word": WORD, **changes}, 0.5)


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_hears_the_word(port: int, protocol: str, host: str) -> None:
    """By both protocols in both families."""
    assert dial(port, protocol=protocol, host=host) == "connected"


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_it_tells_a_stranger_from_the_one_it_knows(port: int, protocol: str) -> None:
    """Somebody answers, but with another word: the way is open, and no control is had of it."""
    assert dial(port, protocol=protocol, word="another") == "stranger"


def test_it_says_how_it_failed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, without an address, or silent."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    assert dial(closed) == "refused"
    assert dial(closed, protocol="UDP") == "refused"
    assert dial(port, host="") == "no address"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert dial(silent.getsockname()[1], protocol="UDP") == "timeout"
    service = {"environment": "KUBERNETES_SERVICE_HOST", "environmentPort": "KUBERNETES_SERVICE_PORT"}
    assert probe.dial({"protocol": "TCP", **service}, 0.5) == "no address"
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
    assert probe.dial({"protocol": "TCP", **service}, 0.5) == "connected"


def test_it_finds_devices_that_not_every_container_has(tmp_path: Path) -> None:
    """Also in folders; what every container has, files and links are none."""
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    (tmp_path / "dri").mkdir()
    try:
        for name in ("null", "nvidia0", "dri/card0"):
            os.mknod(tmp_path / name, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("no devices can be made here")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nvidia0")
    assert probe.devices(tmp_path) == [f"{tmp_path}/dri/card0", f"{tmp_path}/nvidia0"]
