"""What can be had of a pool, apart from times: one sentence for every objection."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.policy.chain import Input, Verdict
from sublet.policy.rules import judge
from sublet.policy.storage import ClassSeen
from tests.builders import NOON, a_lease, a_pool, at, queued


def verdict_on(
    lease: GPULease,
    pool: GPUPool | None = None,
    *,
    per_node: int = 8,
    for_sale: int = 4,
    namespaces: Mapping[str, str | None] | None = None,
) -> Verdict | None:
    """Judge a lease of a pool of four nodes with eight GPUs each."""
    return judge(Input(lease, pool or a_pool(), per_node, for_sale, namespaces or {}, NOON))


def heard(verdict: Verdict | None) -> tuple[str, str]:
    """Reason and message of an objection that must be there."""
    assert verdict is not None
    return verdict.reason.value, verdict.message


FREE = {"lease-acme-train": None, "lease-acme-train-staging": None}


@pytest.mark.parametrize(
    ("lease", "pool"),
    [
        (a_lease(), a_pool()),
        (a_lease(nodes=4), a_pool()),
        (a_lease(gpus=8), a_pool()),
        (a_lease(gpus=32), a_pool()),
        (a_lease(network={"egress": []}), a_pool()),
        (a_lease(term="Interruptible"), a_pool()),
        (a_lease(term="Interruptible"), a_pool(pricing={"currency": "EUR", "firm": "2.50", "interruptible": "1"})),
        (a_lease(term="Firm"), a_pool(pricing={"currency": "EUR", "firm": "2.50"})),
        (a_lease(namespaces=["staging"]), a_pool()),
    ],
    ids=["plain", "all nodes", "one node", "all GPUs", "no egress", "unpriced", "priced", "firm", "namespaces"],
)
def test_what_the_pool_offers_can_be_had(lease: GPULease, pool: GPUPool) -> None:
    """Nobody objects to a lease that stays within what the pool has and sells."""
    assert verdict_on(lease, pool, namespaces=FREE) is None


def test_a_pool_that_does_not_exist() -> None:
    """The name of the pool is told, and how to find the ones that exist."""
    assert heard(judge(Input(a_lease(pool="h200"), None, 0, 0, {}, NOON))) == (
        "PoolNotFound",
        "spec.pool: there is no GPUPool h200; create it, or delete this lease and name one of `kubectl get gpupools`",
    )


def test_a_pool_that_is_not_accepted() -> None:
    """The tenant hears what is wrong with the pool, since only its owner can change it."""
    assert heard(verdict_on(a_lease(), a_pool(isolation={"device_classes": ["gpu"]}))) == (
        "PoolNotAccepted",
        (
            "spec.pool: the pool h100 is not accepted: spec.isolation.deviceClasses: "
            "not enforced by this version of Sublet; remove the field to sell without it"
        ),
    )


def test_a_class_of_storage_that_is_not_there() -> None:
    """What the cluster lacks is no fault of the lease, and is told with the pool's field."""
    pool = a_pool(isolation={"storage_classes": ["nvme"]})
    given = Input(a_lease(), pool, 8, 4, FREE, NOON)
    assert heard(judge(given)) == (
        "PoolNotAccepted",
        (
            "spec.pool: the pool h100 is not accepted: spec.isolation.storageClasses[0]: "
            "there is no StorageClass nvme; create it, or take the name off the list"
        ),
    )
    assert judge(replace(given, classes={"nvme": ClassSeen("Delete", "csi.example.com")})) is None


def test_a_volume_that_an_earlier_lease_left() -> None:
    """Nobody gets a namespace for whose claims there is still a volume."""
    given = Input(a_lease(), a_pool(), 8, 4, FREE, NOON)
    assert heard(judge(replace(given, volumes=[("pv-1", "lease-acme-train")]))) == (
        "NamespaceConflict",
        (
            "metadata.name: the volume pv-1 is left of an earlier lease with the namespace lease-acme-train; "
            "delete it and the storage behind it, or delete this lease and apply it under another name"
        ),
    )


def test_a_placement_names_a_level_of_the_pool() -> None:
    """A wish that nobody can judge is refused, with the levels that there are."""
    lease = a_lease(placement={"level": "example.com/rack"})
    assert verdict_on(lease, a_pool(topology=["topology.kubernetes.io/zone", "example.com/rack"])) is None
    assert heard(verdict_on(lease, a_pool(topology=["topology.kubernetes.io/zone", "example.com/block"]))) == (
        "NotOffered",
        (
            "spec.placement.level: example.com/rack is no level of the pool's topology; "
            "name one of topology.kubernetes.io/zone, example.com/block"
        ),
    )
    assert heard(verdict_on(lease)) == (
        "NotOffered",
        (
            "spec.placement.level: example.com/rack is no level of the pool's topology; "
            "the pool names none, so remove spec.placement"
        ),
    )


def test_what_the_planner_found_impossible_is_refused_in_its_words() -> None:
    """The planner looks for room and says so in the queue; a lease that only waits is not refused."""
    assert verdict_on(queued(a_lease(), queue={"position": 1})) is None
    lease = queued(a_lease(), queue={"refusal": "spec.start: the pool never has 2 nodes free then"})
    assert heard(verdict_on(lease)) == ("NoRoom", "spec.start: the pool never has 2 nodes free then")


def test_a_term_without_a_price() -> None:
    """A pool that has a price for firm leases only sells no interruptible ones."""
    pool = a_pool(pricing={"currency": "EUR", "firm": "2.50"})
    assert heard(verdict_on(a_lease(term="Interruptible"), pool)) == (
        "NotOffered",
        "spec.term: the pool has no price for Interruptible leases; write Firm or leave it out",
    )


@pytest.mark.parametrize(
    ("gpus", "message"),
    [
        (12, "spec.gpus: 12 does not fill whole nodes of 8 GPUs; ask for 8 or 16"),
        (31, "spec.gpus: 31 does not fill whole nodes of 8 GPUs; ask for 24 or 32"),
        (3, "spec.gpus: 3 does not fill whole nodes of 8 GPUs; ask for 8"),
    ],
)
def test_gpus_fill_whole_nodes(gpus: int, message: str) -> None:
    """The two nearest counts are named; below one node there is only one."""
    assert heard(verdict_on(a_lease(gpus=gpus))) == ("NodesNotWhole", message)


def test_gpus_of_a_pool_without_gpus() -> None:
    """A pool none of whose nodes has a GPU cannot say what would fill a node."""
    assert heard(verdict_on(a_lease(gpus=8), per_node=0)) == (
        "TooFewNodes",
        "spec.gpus: no node of the pool h100 has a GPU; ask once it has some, or for another pool",
    )


@pytest.mark.parametrize(
    ("lease", "for_sale", "message"),
    [
        (a_lease(nodes=5), 4, "spec.nodes: 5 asked for, but the pool h100 has 4 nodes for sale; ask for at most 4"),
        (a_lease(gpus=40), 4, "spec.gpus: 40 asked for, but the pool h100 has 4 nodes for sale; ask for at most 32"),
        (
            a_lease(nodes=1),
            0,
            "spec.nodes: 1 asked for, but the pool h100 has no nodes for sale; ask once it has some",
        ),
    ],
)
def test_more_than_the_pool_has_never_fits(lease: GPULease, for_sale: int, message: str) -> None:
    """The most that can be had is named in the unit in which the tenant asked."""
    assert heard(verdict_on(lease, for_sale=for_sale)) == ("TooFewNodes", message)


@pytest.mark.parametrize(
    ("namespaces", "message"),
    [
        (
            FREE | {"lease-acme-train": ""},
            (
                "metadata.name: the namespace lease-acme-train belongs to somebody outside Sublet; "
                "delete this lease and apply it under another name"
            ),
        ),
        (
            FREE | {"lease-acme-train-staging": "acme"},
            (
                "spec.namespaces[0]: the namespace lease-acme-train-staging belongs to the lease acme; "
                "choose another suffix"
            ),
        ),
        (
            {"lease-a": None, "lease-a-x": None, "lease-a-y": ""},
            "spec.namespaces[1]: the namespace lease-a-y belongs to somebody outside Sublet; choose another suffix",
        ),
    ],
)
def test_a_namespace_is_never_taken_over(namespaces: Mapping[str, str | None], message: str) -> None:
    """The field at fault is named, with who holds the name."""
    assert heard(verdict_on(a_lease(), namespaces=namespaces)) == ("NamespaceConflict", message)


def test_the_fault_that_a_person_would_fix_first_is_told_first() -> None:
    """Of several faults, the one nearest to the front of the chain is told."""
    lease = a_lease(gpus=44, end=at(-1), placement={"level": "topology.kubernetes.io/zone"})
    assert heard(verdict_on(lease, namespaces={"lease-acme-train": ""}))[0] == "NotOffered"
    lease = a_lease(gpus=44, end=at(-1))
    assert heard(verdict_on(lease, namespaces={"lease-acme-train": ""}))[0] == "NodesNotWhole"
