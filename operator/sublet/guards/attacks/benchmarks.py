"""The Multi-Tenancy Benchmarks of Kubernetes, check by check, and how a lease stands to each.

Ids and titles are those of `benchmarks/kubectl-mtb` in kubernetes-retired/multi-tenancy at commit 44dad58.
An attack is a case of a check if its `ids` name it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sublet.guards.attacks.attack import Attack


class Verdict(StrEnum):
    """How a lease stands to a check."""

    HELD = "held"
    """In every lease."""

    HELD_RESTRICTED = "held where the pool demands `restricted`"
    """The level `baseline` leaves it open."""

    NOT_OFFERED = "deliberately not offered"
    """The check asks that tenants can do it; with it a tenant could undo its own isolation, so it is refused."""

    CLASSES_JUDGED = "held: a pool that offers a class with another policy is not accepted"
    """The owner's classes are looked at, beside what tenants ask for."""

    WRITTEN = (
        "policies written, out of reach, computed to be closed and dialled where they are enforced; whether your "
        "network plugin enforces them is measured where the pool requires it"
    )
    """The API server's part holds."""


@dataclass(frozen=True)
class Benchmark:
    """One check.

    Attributes:
        id: Its id. Two checks were published with one id; the second is told apart here by what it blocks. Checks that
            were announced and never written have the number of their issue.
        title: Its title.
        verdict: How a lease stands to it.
    """

    id: str
    title: str
    verdict: Verdict = Verdict.HELD

    def of(self, attacks: Iterable[Attack]) -> list[Attack]:
        """Those that are cases of it."""
        return [attack for attack in attacks if self.id in attack.ids]


BENCHMARKS: Final = (
    Benchmark("MTB-PL1-CC-CPI-1", "Block access to cluster resources"),
    Benchmark("MTB-PL1-BC-CPI-2", "Block Multitenant Resources"),
    Benchmark("MTB-PL1-BC-CPI-3", "Block add capabilities"),
    Benchmark("MTB-PL1-BC-CPI-4", "Require run as non-root user", Verdict.HELD_RESTRICTED),
    Benchmark("MTB-PL1-BC-CPI-5", "Block privileged containers"),
    Benchmark("MTB-PL1-BC-CPI-6", "Block privilege escalation", Verdict.HELD_RESTRICTED),
    Benchmark("MTB-PL1-CC-TI-1", "Block modification of resource quotas"),
    Benchmark("MTB-PL1-CC-TI-2", "Block access to other tenant resources"),
    Benchmark("MTB-PL1-CC-FNS-1", "Configure namespace resource quotas"),
    Benchmark("MTB-PL1-CC-FNS-2", "Configure namespace object limits"),
    Benchmark("MTB-PL1-BC-HI-1", "Block use of host path volumes"),
    Benchmark("MTB-PL1-BC-HI-1-NodePort", "Block use of NodePort services"),
    Benchmark("MTB-PL1-BC-HI-3", "Block use of host networking and ports"),
    Benchmark("MTB-PL1-BC-HI-4", "Block use of host PID"),
    Benchmark("MTB-PL1-BC-HI-5", "Block use of host IPC"),
    Benchmark("MTB-PL1-CC-DI-1", "Require always imagePullPolicy"),
    Benchmark("MTB-PL2-CC-TI-1", "Block role privilege escalation"),
    Benchmark("MTB-PL2-BC-OPS-3", "Create Role Bindings", Verdict.NOT_OFFERED),
    Benchmark("MTB-PL2-BC-OPS-4", "Create Network Policies", Verdict.NOT_OFFERED),
    Benchmark("MTB-pending-1198", "Require PersistentVolumeClaim for storage"),
    Benchmark("MTB-pending-1199", "Require PV reclaim policy of Delete", Verdict.CLASSES_JUDGED),
    Benchmark("MTB-pending-1200", "Block use of existing PVs"),
    Benchmark("MTB-pending-1201", "Block network access across tenant namespaces", Verdict.WRITTEN),
)
"""The checks that were written, and then those that were only announced."""
