"""What the rendered NetworkPolicies let through is what the contract says, in every cell, as Cyclonus reads them.

No packet is sent. That a network plugin enforces the policies is not shown.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sublet.desired.tenancy import Tenancy
from tests.flows.contract import Contract, Packet, may_pass, nothing_passes
from tests.flows.engine import Cell, Table, ask, differences, table
from tests.flows.mutants import mutants
from tests.flows.sites import SITES, site

Raw = dict[str, Any]
Record = Callable[[str, object], None]

MOST_SENTENCES = 20
NAMESPACE = "lease-acme-train-staging"
MUTATED = ("egress of ports", "egress to everywhere", "name servers elsewhere")


def named(policies: Sequence[Raw], name: str) -> list[Raw]:
    """Of these policies, the ones of that name."""
    return [policy for policy in policies if policy["metadata"]["name"] == name]


@pytest.mark.parametrize("tenancies", SITES.values(), ids=SITES)
def test_every_cell_is_as_agreed(flows: Path, tenancies: tuple[Tenancy, ...], record_property: Record) -> None:
    """Nothing is open that must not be, and nothing is closed that is sold."""
    around = site(tenancies)
    judged = table(around.peers, around.leases, may_pass)
    found = list(differences(flows, around.policies, judged))
    assert not found, "\n".join([f"{len(found)} of {len(judged.cells)} cells:", *found[:MOST_SENTENCES]])
    record_property("cells", len(judged.cells))


def test_the_default_deny_alone_closes_everything(flows: Path, record_property: Record) -> None:
    """It holds whatever becomes of the second policy."""
    around = site(SITES["two namespaces"])
    judged = table(around.peers, around.leases, nothing_passes)
    found = list(differences(flows, named(around.policies, "sublet-default-deny"), judged))
    assert not found, "\n".join(found[:MOST_SENTENCES])
    record_property("cells", len(judged.cells))


@pytest.mark.parametrize(
    ("tenancies", "name", "contract"),
    [
        *((SITES[name], "sublet-allow", may_pass) for name in MUTATED),
        (SITES["two namespaces"], "sublet-default-deny", nothing_passes),
    ],
    ids=[*MUTATED, "the default deny alone"],
)
def test_every_word_of_a_policy_is_needed(
    flows: Path, tenancies: tuple[Tenancy, ...], name: str, contract: Contract, record_property: Record
) -> None:
    """Each change of a rule, a selector, a network or a port makes a cell differ; so does a policy that is gone.

    The policy is changed in one namespace, and what a pod there may do is judged: all namespaces have the same. The
    default deny is judged without the other policy, beside which it changes nothing.
    """
    around = site(tenancies)
    judged = table(around.peers, around.leases, contract, touching=f"{NAMESPACE}/worker")
    policies = around.policies if contract is may_pass else named(around.policies, name)
    (policy,) = (each for each in named(policies, name) if each["metadata"]["namespace"] == NAMESPACE)
    others = [each for each in policies if each is not policy]
    assert not any(differences(flows, policies, judged))

    tried = [("the policy is gone", []), *((what, [changed]) for what, changed in mutants(policy))]
    unnoticed = [what for what, changed in tried if not any(differences(flows, [*others, *changed], judged))]
    assert unnoticed == []
    record_property("mutants", len(tried))


def test_the_engine_names_the_rule_that_decides(flows: Path) -> None:
    around = site(SITES["two namespaces"])
    numbers = {peer.name: number for number, peer in enumerate(around.peers) if peer.address.version == 4}
    worker, dns = numbers["lease-acme-train/worker"], numbers["kube-system/dns"]
    shut = "no rule of lease-acme-train/sublet-default-deny, no rule of lease-acme-train/sublet-allow"
    decided = {
        Cell(worker, dns, Packet("UDP", 53)): ("egress[1] of lease-acme-train/sublet-allow", "no policy"),
        Cell(worker, dns, Packet("SCTP", 53)): (shut, "no policy"),
        Cell(dns, worker, Packet("UDP", 53)): ("no policy", shut),
        Cell(worker, numbers["lease-acme-train-staging/worker"], Packet("TCP", 80)): (
            "egress[0] of lease-acme-train/sublet-allow",
            "ingress[0] of lease-acme-train-staging/sublet-allow",
        ),
    }
    verdicts = ask(flows, around.policies, Table(around.peers, list(decided), []))
    assert [(each.egress, each.ingress) for each in verdicts] == list(decided.values())
    assert [each.allowed for each in verdicts] == [True, False, False, True]
