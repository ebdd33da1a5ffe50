"""Quotas that a test changes, counted by the real controller."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.apiserver.attacker import Answer, Attacker
from tests.apiserver.leased import until

Raw = dict[str, Any]


def exceeded(answer: Answer) -> list[str]:
    """The lines of a quota by which a request was refused."""
    found = re.search(r"exceeded quota: sublet, requested: (\S+), used: ", answer.message)
    return [each.rpartition("=")[0] for each in found[1].split(",")] if found else []


@dataclass(frozen=True)
class Quota:
    """The quota of a namespace, to be changed."""

    admin: Attacker
    namespace: str

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/api/v1/namespaces/{self.namespace}/resourcequotas/sublet"

    def status(self) -> Raw:
        """What the controller says of it, once that is about the specification as it is."""
        seen: Raw = {}

        def settled() -> bool:
            seen.update(self.admin.send("GET", self.path).body)
            hard = seen["spec"]["hard"]
            return bool(seen["status"].get("hard") == hard and seen["status"]["used"].keys() == hard.keys())

        until(settled, f"the quota of {self.namespace} is counted")
        return dict(seen["status"])

    def write(self, hard: Mapping[str, str]) -> None:
        """Have these lines and no other."""
        answer = self.admin.send("PATCH", self.path, [{"op": "replace", "path": "/spec/hard", "value": hard}])
        assert not answer.message, answer.message
        self.status()

    @contextlib.contextmanager
    def used_up(self, line: str) -> Iterator[None]:
        """Let a line allow what there is already, and no more."""
        before = self.status()
        try:
            self.write({**before["hard"], line: before["used"][line]})
            yield
        finally:
            self.write(before["hard"])
