"""Whole tenancies as golden files: a change to what isolates tenants shows as a difference in review.

`pytest --update-golden` writes the files anew.
"""

import json
from pathlib import Path

import pytest
import yaml

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.calendar.lifecycle import Stage
from sublet.desired.render import render
from sublet.plan.translate import tenancy_of
from sublet.policy.storage import ClassSeen
from tests.builders import a_lease, a_pool, at, booked, some_nodes

GOLDEN = Path(__file__).parents[2] / "golden"

TWO_PEOPLE = {
    "name": "acme",
    "subjects": [
        {"kind": "User", "name": "oidc:anna@acme.example"},
        {"kind": "Group", "name": "oidc:acme-ml"},
    ],
}
OWN_DNS = {"namespace": "dns-system", "pod_labels": {"app": "coredns", "tier": "tenants"}}
STRICT = {"pod_security": {"level": "restricted", "version": "v1.36"}, "dns": OWN_DNS}

PORTS = [{"port": 443}, {"port": 30_000, "end_port": 32_767, "protocol": "UDP"}]
ASKED = [{"cidr": "0.0.0.0/0", "ports": PORTS}, {"cidr": "203.0.113.0/24"}, {"cidr": "2001:db8::/32"}]
OPEN = {
    "egress": ["0.0.0.0/0", "2001:db8::/32"],
    "cluster_cidrs": ["10.0.0.0/8", "198.51.100.7/32", "2001:db8:0:1::/64"],
}

SCENARIOS: dict[str, tuple[GPULease, GPUPool, Stage]] = {
    "plain": (a_lease(), a_pool(), Stage.PROVISIONING),
    "two-namespaces-restricted": (
        a_lease(tenant=TWO_PEOPLE, namespaces=["staging"], extendable_until=at(24)),
        a_pool(isolation=STRICT),
        Stage.ACTIVE,
    ),
    "suspended": (a_lease(suspend=True), a_pool(), Stage.SUSPENDED),
    "egress": (a_lease(network={"egress": ASKED}), a_pool(isolation=OPEN), Stage.ACTIVE),
    "volumes": (a_lease(namespaces=["staging"]), a_pool(isolation={"storage_classes": ["nvme"]}), Stage.ACTIVE),
    "draining": (a_lease(), a_pool(), Stage.DRAINING),
    "cluster-network-policy": (
        a_lease(namespaces=["staging"], network={"egress": ASKED[1:2]}),
        a_pool(isolation=OPEN),
        Stage.ACTIVE,
    ),
}
WITH_CLUSTER_POLICIES = {"cluster-network-policy"}
"""The scenarios in which the API server serves ClusterNetworkPolicies."""


def rendered(scenario: str) -> str:
    """All objects of a scenario, in the order in which they are built."""
    lease, pool, stage = SCENARIOS[scenario]
    tenancy = tenancy_of(
        booked(lease),
        pool,
        some_nodes(2),
        stage,
        "sublet-tenant",
        has_cluster_policies=scenario in WITH_CLUSTER_POLICIES,
        classes={"nvme": ClassSeen("Delete", "csi.example.com")},
    )
    whole = json.loads(json.dumps(render(tenancy).all()))  # so that no part is shared, which YAML would show
    return yaml.safe_dump_all(whole, sort_keys=False, explicit_start=True, width=120)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_tenancy_is_what_its_golden_file_says(scenario: str, request: pytest.FixtureRequest) -> None:
    """Every object of the tenancy is, field by field, the one that was reviewed."""
    path = GOLDEN / f"{scenario}.yaml"
    if request.config.getoption("--update-golden"):
        path.write_text(rendered(scenario))
    assert rendered(scenario) == path.read_text()


def test_every_golden_file_has_its_scenario() -> None:
    """A file that no test reads would be reviewed for nothing."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(SCENARIOS)
