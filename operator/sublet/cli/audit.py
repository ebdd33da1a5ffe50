"""`sublet audit LEASE`: the whole list of attacks against a live lease, by dry run as its tenant."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sublet.api.lease import GPULease, Phase, SubjectKind
from sublet.cluster.client import Client
from sublet.cluster.kinds import GPU_LEASE, NAMESPACE, NODE
from sublet.desired import naming
from sublet.errors import SubletError, UnavailableError
from sublet.guards.attacks.answer import ADMITTED, stopped_by
from sublet.guards.attacks.attack import METHODS, Attack, Scene
from sublet.guards.catalogue import ATTACKS

Raw = dict[str, Any]

_LISTS = {"allowed-registries": naming.ALLOWED_REGISTRIES}
"""Rules that restrict nothing while the pool's list is empty, and where the list stands."""


class Outcome(StrEnum):
    """What an answer means."""

    HELD = "held"
    """The guard that should stop the attack did."""

    OTHERWISE = "stopped otherwise"
    """Another guard stopped it first, or what it is aimed at does not exist in this lease."""

    NOT_RESTRICTED = "not restricted"
    """It was admitted, and the owner's pool allows it."""

    ADMITTED = "ADMITTED"
    """It was admitted: the lease is open."""


@dataclass(frozen=True)
class Finding:
    """What became of one attack."""

    attack: str
    what: str
    expected: str
    got: str
    outcome: Outcome


def audit(lease: str, output: str) -> int:
    """Run the audit and print it; 0 if no attack was admitted, 1 if one was, 2 if it could not be run."""
    try:
        findings = asyncio.run(_audit(lease))
    except SubletError as error:
        print(f"sublet audit: {error}", file=sys.stderr)
        return 2
    print(_as_json(findings) if output == "json" else _as_table(findings))
    return 1 if any(finding.outcome is Outcome.ADMITTED for finding in findings) else 0


async def _audit(name: str) -> list[Finding]:
    client = await Client.connect()
    try:
        lease = GPULease.model_validate(await client.get(GPU_LEASE, name))
        if lease.status.phase is not Phase.ACTIVE:
            phase = lease.status.phase.value if lease.status.phase else "not looked at yet"
            raise UnavailableError(f"{name} is {phase}; only an Active lease has all its guards")
        scene = _scene(lease, (await client.list(NODE))["items"])
        notes = (await client.get(NAMESPACE, scene.namespace))["metadata"].get("annotations") or {}
        unrestricted = {rule for rule, note in _LISTS.items() if not notes.get(note)}
        return [await _try(client, attack, scene, _identity(lease), unrestricted) for attack in ATTACKS]
    finally:
        await client.close()


def _scene(lease: GPULease, nodes: Sequence[Raw]) -> Scene:
    others = [node["metadata"]["name"] for node in nodes if node["metadata"]["name"] not in lease.status.nodes]
    return Scene(
        lease=lease.metadata.name,
        namespace=lease.status.namespaces[0],
        node=lease.status.nodes[0],
        foreign_node=others[0] if others else "no-other-node",
        foreign_namespace="kube-system",
        gpu_resource="nvidia.com/gpu",
    )


def _identity(lease: GPULease) -> Raw:
    """The headers that make us the lease's first subject."""
    subject = lease.spec.tenant.subjects[0]
    if subject.kind is SubjectKind.USER:
        return {"Impersonate-User": subject.name}
    return {"Impersonate-User": "sublet-audit", "Impersonate-Group": subject.name}


async def _try(client: Client, attack: Attack, scene: Scene, identity: Raw, unrestricted: Collection[str]) -> Finding:
    request = attack.request(scene)
    method = METHODS[request.verb]
    # Reading changes nothing, and a connection is refused before it is made or comes to nothing.
    query = {} if request.verb in {"get", "list", "connect"} else {"dryRun": "All"}
    patch = "json-patch+json" if isinstance(request.body, list) else "strategic-merge-patch+json"
    content = f"application/{patch if method == 'PATCH' else 'json'}"
    try:
        await client.request(method, request.path, query=query, body=request.body, content=content, headers=identity)
        got = ADMITTED
    except SubletError as error:
        got = stopped_by(error.message, error.reason)
    return Finding(attack.name, attack.what, attack.stopped_by, got, _outcome(attack, got, unrestricted))


def _outcome(attack: Attack, got: str, unrestricted: Collection[str]) -> Outcome:
    if got == attack.stopped_by:
        return Outcome.HELD
    if got != ADMITTED:
        return Outcome.OTHERWISE
    return Outcome.NOT_RESTRICTED if attack.stopped_by in unrestricted else Outcome.ADMITTED


def _as_json(findings: Sequence[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def _as_table(findings: Sequence[Finding]) -> str:
    # The worst comes last, where a terminal still shows it.
    order = list(Outcome)
    ordered = sorted(findings, key=lambda finding: order.index(finding.outcome))
    rows = [("ATTACK", "EXPECTED", "GOT", "OUTCOME")]
    rows += [(f.attack, f.expected, f.got.partition(":")[0], f.outcome.value) for f in ordered]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    counts = Counter(finding.outcome for finding in findings)
    summary = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
    return "\n".join([*lines, "", f"{len(findings)} attacks: {summary}"])
