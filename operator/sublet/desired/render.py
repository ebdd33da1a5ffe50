"""The table of contents: every object of a tenancy, in the order in which it is built."""

from dataclasses import dataclass
from typing import Any

from sublet.desired import access, cluster_network, facts, namespace, network, quota
from sublet.desired.tenancy import Tenancy

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Manifests:
    """The complete set of objects a lease should have."""

    namespaces: tuple[Manifest, ...] = ()
    """Come first: all others live in them."""

    guards: tuple[Manifest, ...] = ()
    """Quotas, limits, network policies, and who may probe them: in place before anybody is let in."""

    facts: tuple[Manifest, ...] = ()
    """What the tenant is told: after the quota, which counts it."""

    access: tuple[Manifest, ...] = ()
    """RoleBindings: last to come, first to go."""

    def all(self) -> tuple[Manifest, ...]:
        """All of them, in order."""
        return (*self.namespaces, *self.guards, *self.facts, *self.access)


NOTHING = Manifests()
"""What a lease should have before it starts and after it ends."""


def render(tenancy: Tenancy) -> Manifests:
    """The objects of a tenancy. Same tenancy, same bytes."""
    return Manifests(
        namespaces=tuple(namespace.manifests(tenancy)),
        guards=(
            *quota.manifests(tenancy),
            *network.manifests(tenancy),
            *cluster_network.manifests(tenancy),
            *access.for_probes(tenancy),
        ),
        facts=tuple(facts.manifests(tenancy)),
        access=tuple(access.manifests(tenancy)),
    )
