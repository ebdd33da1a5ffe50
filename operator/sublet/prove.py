"""The pass over a node: measure what it and its network enforce, where a pool requires that, and note it on the node.

The answer is for the passes over leases to read: nothing is handed on. One node at a time, because probe pods are.
"""

import logging
from datetime import datetime

from sublet.api.lease import Phase
from sublet.api.pool import GPUPool
from sublet.api.pool_isolation import ProbeMode
from sublet.cluster import measure, observe
from sublet.cluster.kinds import NAMESPACE, NODE
from sublet.cluster.world import World
from sublet.desired import naming
from sublet.doctor import judge
from sublet.doctor.judge import Finding, Verdict
from sublet.doctor.policies import OPEN_NAMESPACE, digest
from sublet.doctor.standing import Measured, due
from sublet.errors import ForbiddenError, InvalidError, UnavailableError
from sublet.plan.conditions import RUNNING
from sublet.plan.observed import NodeSeen

_LOG = logging.getLogger(__name__)

_RUNNING = {Phase(stage.value) for stage in RUNNING}


def nodes_to_prove(world: World, lease: str) -> list[str]:
    """The nodes that carry the claim of a lease, if its pool requires that they are measured."""
    if _requiring(world, lease) is None:
        return []
    return [node["metadata"]["name"] for node in world.nodes.of_lease(lease)]


async def prove(world: World, name: str, now: datetime) -> datetime | None:
    """One pass over a node.

    Returns:
        When to measure again; None if nobody asks for it now.

    Raises:
        SubletError: Nothing could be measured, because another measurement is under way or the API server is away.
    """
    node = _seen(world, name)
    pool = _requiring(world, node.lease) if node is not None and node.lease else None
    if node is None or pool is None:
        return None
    rests_on = digest(pool, observe.probe_image(world))
    again = due(node.measured, rests_on, node.changed_at)
    if again is not None and again > now:
        return again
    findings = await _measure(world, pool, name, now)
    for finding in findings:
        if finding.verdict is not Verdict.PASSED:
            _LOG.warning("%s: %s", name, finding.message)
    measured = Measured(judge.whole(findings), now, rests_on, judge.sentence(findings))
    change = {"metadata": {"annotations": {naming.MEASURED: measured.dump()}}}
    world.nodes.put(await world.client.patch(NODE, name, change))
    return due(measured, rests_on, None)


async def _measure(world: World, pool: GPUPool, node: str, now: datetime) -> tuple[Finding, ...]:
    try:
        image = measure.image_in(world.children[NAMESPACE].get(OPEN_NAMESPACE))
    except UnavailableError as error:
        return (Finding("probe-pods", Verdict.UNKNOWN, error.message),)
    try:
        return await measure.measure(world.client, pool, node, image, now)
    except (ForbiddenError, InvalidError) as error:
        # Somebody's admission or a quota: told where the owner looks, and tried again as any answer that is no pass.
        return (Finding("probe-pods", Verdict.UNKNOWN, f"a probe pod is not let in: {error.message}"),)


def _seen(world: World, name: str) -> NodeSeen | None:
    raw = world.nodes.get(name)
    return world.nodes.parsed(raw, observe.node_seen) if raw is not None else None


def _requiring(world: World, name: str) -> GPUPool | None:
    """The pool of a lease that runs, if it requires that nodes are measured."""
    lease = observe.find_lease(world, name)
    if lease is None or lease.status.phase not in _RUNNING:
        return None
    pool = observe.find_pool(world, lease.spec.pool)
    return pool if pool is not None and pool.spec.isolation.probe is ProbeMode.REQUIRED else None
