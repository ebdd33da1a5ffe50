"""`sublet doctor`: whether an installation is whole and, with `--probe`, what nodes and network really enforce."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sublet.api.pool import GPUPool
from sublet.cli import output
from sublet.cli.checkup import checkup
from sublet.cli.wanted import UsageError
from sublet.clock import SystemClock
from sublet.cluster import measure, observe
from sublet.cluster.client import Client
from sublet.cluster.snapshot import snapshot
from sublet.cluster.world import World
from sublet.doctor.judge import Finding, Verdict, whole
from sublet.errors import NotFoundError, SubletError, UnavailableError

Raw = dict[str, Any]

_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 2}


@dataclass(frozen=True)
class Section:
    """Findings about one thing.

    Attributes:
        about: The node that was measured; empty for the installation.
        pool: Its pool; empty for the installation.
        findings: The findings.
    """

    about: str
    pool: str
    findings: Sequence[Finding]


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the words by which a checkup is asked for."""
    parser.add_argument("--probe", action="store_true", help="run pods on a node, and measure what is really enforced")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--pool", metavar="NAME", help="measure a node of this pool; left out: one of each pool")
    where.add_argument("--node", metavar="NAME", help="measure this node")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")


def run(given: argparse.Namespace) -> int:
    """Look, measure if asked to, and print; 0 if all is well, 1 if something is not, 2 if something is not known."""
    try:
        sections = asyncio.run(_examine(given, SystemClock().now()))
    except (UsageError, SubletError) as error:
        print(f"sublet doctor: {error}", file=sys.stderr)
        return 2
    print(output.as_json(_as_json(sections)) if given.output == "json" else _as_table(sections))
    measured = [finding for section in sections if section.about for finding in section.findings]
    seen = [finding for section in sections if not section.about for finding in section.findings]
    # What could not be seen of the installation is told; only a measurement that was asked for must be had.
    return 1 if whole(seen) is Verdict.FAILED else _CODES[whole(measured)]


async def _examine(given: argparse.Namespace, now: datetime) -> list[Section]:
    if not given.probe and (given.pool or given.node):
        raise UsageError("--pool and --node say where to measure: give --probe too")
    client = await Client.connect()
    try:
        try:
            world = await snapshot(client)
        except NotFoundError as error:
            raise UnavailableError("the cluster knows no pools and leases; install Sublet's chart first") from error
        sections = [Section("", "", await checkup(client, world))]
        if given.probe:
            image = await measure.image_of(client)
            for pool, node in _chosen(world, given.pool, given.node):
                print(f"measuring {node} of the pool {pool.metadata.name}", file=sys.stderr)
                findings = await measure.measure(client, pool, node, image, now)
                sections.append(Section(node, pool.metadata.name, findings))
    finally:
        await client.close()
    return sections


def _chosen(world: World, pool: str | None, node: str | None) -> list[tuple[GPUPool, str]]:
    """Where to measure: on the node that was named, or on one of each pool, of leased ones if there are any."""
    pools = [found for raw in world.pools if (found := observe.find_pool(world, raw["metadata"]["name"])) is not None]
    members = {each.metadata.name: observe.pool_nodes(world, each) for each in pools}
    if node is not None:
        for each in pools:
            if any(member.name == node for member in members[each.metadata.name]):
                return [(each, node)]
        raise UsageError(f"--node: {node} is in no pool; name a node that a GPUPool selects")
    if pool is not None and pool not in members:
        raise UsageError(f"--pool: there is no GPUPool {pool}; name one of `kubectl get gpupools`")
    chosen = []
    for each in pools:
        ready = [member for member in members[each.metadata.name] if member.ready]
        best = min(ready, key=lambda member: (member.lease is None, member.name), default=None)
        if best is not None and pool in {None, each.metadata.name}:
            chosen.append((each, best.name))
    if not chosen:
        raise UsageError("no pool, or not this one, has a node that is Ready: there is nothing to measure")
    return chosen


def _as_json(sections: Sequence[Section]) -> Raw:
    return {
        "installation": [_finding(each) for each in sections[0].findings],
        "nodes": [
            {
                "node": section.about,
                "pool": section.pool,
                "verdict": whole(section.findings).value,
                "findings": [_finding(each) for each in section.findings],
            }
            for section in sections[1:]
        ],
    }


def _finding(finding: Finding) -> Raw:
    return {
        "check": finding.check,
        "verdict": finding.verdict.value,
        "message": finding.message,
        "remedy": finding.remedy or None,
    }


def _as_table(sections: Sequence[Section]) -> str:
    return "\n\n".join(part for section in sections for part in _parts(section))


def _parts(section: Section) -> Iterator[str]:
    title = f"{section.about} of the pool {section.pool}: {whole(section.findings).value}"
    yield title if section.about else "The installation"
    rows = [(each.check, each.verdict.value, each.message) for each in section.findings]
    yield output.table(("CHECK", "VERDICT", "FOUND"), rows, numbers=())
    told: dict[str, list[str]] = {}
    for finding in section.findings:
        if finding.remedy and finding.verdict is not Verdict.PASSED:
            told.setdefault(finding.remedy, []).append(finding.check)
    for remedy, checks in told.items():
        yield output.wrapped(f"{', '.join(checks)}: {remedy}")
