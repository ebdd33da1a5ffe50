"""The program of a probe pod: listens, dials, looks around, and says in one JSON document what it found.

    python -I -m sublet.doctor.probe '{"listen": 8080, "word": "...", "seconds": 120}'
    python -I -m sublet.doctor.probe '{"dials": {"NAME": {"protocol": "TCP", "host": "10.0.0.1", "port": 80}}}'

Standard library only, and few modules of it: what a pod may do in its first seconds is measured too, so it must begin
early. It judges nothing. The document goes to the termination message, which Kubernetes cuts at 4096 bytes.
"""

import errno
import json
import os
import signal
import socket
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any

Raw = dict[str, Any]

MESSAGE = Path("/dev/termination-log")

EARLY_SECONDS = 3.0
"""How long each target is dialled again and again from the first instant on."""

SETTLED_SECONDS = 5.0
"""Age of the pod at which it is dialled once more, with more patience."""

_IMPATIENT = 0.4
_PATIENT = 2.0
_PAUSE = 0.05
_MOST = 128

_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EPERM, errno.EACCES, errno.ENETDOWN}

_USUAL_DEVICES = {"null", "zero", "full", "random", "urandom", "tty", "console", "ptmx"}
"""Devices that every container has (OCI runtime specification, default devices)."""


def main(instructions: Raw) -> None:
    """Do what the instructions say, whatever of it there is."""
    began = time.monotonic()
    # The first process of a container is ended by no signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if "listen" in instructions:
        listen(instructions["listen"], instructions["word"].encode(), instructions["seconds"])
        return
    dials: dict[str, Raw] = instructions["dials"]
    early = _all(dials, lambda target: persist(target, began + EARLY_SECONDS))
    time.sleep(max(0.0, began + SETTLED_SECONDS - time.monotonic()))
    found: Raw = {"early": early, "late": _all(dials, lambda target: dial(target, _PATIENT))}
    if "resolve" in instructions:
        found["resolved"] = resolve(instructions["resolve"])
    found["devices"] = devices(Path("/dev"))
    text = json.dumps(found, separators=(",", ":"))
    MESSAGE.write_text(text)
    sys.stdout.write(text + "\n")


def _all(dials: dict[str, Raw], one: Any) -> dict[str, str]:  # noqa: ANN401 - a lambda over a target
    """All at once: what comes late would not have been in the first seconds."""
    found: dict[str, str] = {}

    def work(name: str, target: Raw) -> None:
        found[name] = one(target)

    threads = [threading.Thread(target=work, args=each, daemon=True) for each in dials.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def persist(target: Raw, until: float) -> str:
    """Dial until it succeeds or the time is over; the last outcome."""
    while True:
        outcome = dial(target, _IMPATIENT)
        if outcome in {"connected", "stranger"} or time.monotonic() >= until:
            return outcome
        time.sleep(_PAUSE)


def dial(target: Raw, patience: float) -> str:
    """What comes of one try: connected, stranger (somebody answers, but with another word), refused, timeout, ..."""
    host, port = target.get("host"), target.get("port")
    if "environment" in target:
        host, port = os.environ.get(target["environment"]), os.environ.get(target["environmentPort"], port)
    if not host:
        return "no address"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    word = target.get("word", "").encode()
    is_udp = target["protocol"] == "UDP"
    try:
        with socket.socket(family, socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect((host, int(port or 0)))
            if is_udp:
                connection.send(b"?")
                return "connected" if connection.recv(_MOST) == word else "stranger"
            return "connected" if not word or _hears(connection, word) else "stranger"
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return "unreachable" if error.errno in _UNREACHABLE else f"error {error.errno}"


def _hears(connection: socket.socket, word: bytes) -> bool:
    """Whether the other side of an open connection says the word. If not, somebody is there all the same."""
    try:
        return connection.recv(_MOST) == word
    except OSError:
        return False


def listen(port: int, word: bytes, seconds: float) -> None:
    """Answer each connection and each datagram with the word, in every family there is, until the time is over."""
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104 - a target is reached
        for kind, serve in ((socket.SOCK_STREAM, _accept), (socket.SOCK_DGRAM, _echo)):
            try:
                listener = socket.socket(family, kind)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, port))
            except OSError:
                if family == socket.AF_INET:
                    raise
                continue  # a node without IPv6
            threading.Thread(target=serve, args=(listener, word), daemon=True).start()
    time.sleep(seconds)


def _accept(listener: socket.socket, word: bytes) -> None:
    listener.listen(_MOST)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(word)
            except OSError:
                continue


def _echo(listener: socket.socket, word: bytes) -> None:
    while True:
        _, sender = listener.recvfrom(_MOST)
        try:
            listener.sendto(word, sender)
        except OSError:
            continue


def resolve(name: str) -> str:
    """Whether the cluster's DNS answers for a name."""
    try:
        socket.getaddrinfo(name, None)
    except OSError as error:
        return f"failed: {error.strerror or error}"
    return "resolved"


def devices(root: Path) -> list[str]:
    """Every device that not every container has; at most so many as fit into the message."""
    found = []
    for folder, _, files in os.walk(root):
        for file in files:
            path = Path(folder) / file
            try:
                mode = path.lstat().st_mode
            except OSError:
                continue
            is_device = stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
            if is_device and str(path.relative_to(root)) not in _USUAL_DEVICES and path.parent.name != "pts":
                found.append(str(path))
    return sorted(found)[:16]


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
