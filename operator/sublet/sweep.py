"""The sweep: what carries the label of a lease that no longer exists is taken away, in the order of every give-back."""

import logging
from datetime import datetime

from sublet.cluster import measure, observe, storage
from sublet.cluster.carry_out import carry_out
from sublet.cluster.world import World
from sublet.plan.orphans import orphans, volumes_of
from sublet.plan.sanitizing import cleaning_of
from sublet.plan.teardown import tear_down
from sublet.telemetry import metrics

_LOG = logging.getLogger(__name__)


async def sweep(world: World, now: datetime) -> int:
    """One sweep, on a list of leases that was read for it.

    Returns:
        How many leases that no longer exist had left something behind.

    Raises:
        SubletError: The leases could not be read. Nothing is taken away on a guess.
    """
    await world.refresh()
    known = {lease["metadata"]["uid"] for lease in world.leases}
    found = orphans(observe.all_children(world), observe.claimed_nodes(world), observe.cleaning_jobs(world), known)
    if found:
        await world.read_volumes()
    for orphan in found:
        _LOG.warning("the lease %s is gone and left something behind; taking it away", orphan.lease)
        metrics.ORPHANS.inc()
        reusable_at = now + observe.longest_cleaning_gap(world)
        volumes = volumes_of(orphan, storage.volumes_of_leases(world), storage.booked_namespaces(world))
        pool = observe.find_pool(world, orphan.pool) if orphan.pool else None
        cleaning = cleaning_of(orphan.lease, orphan.uid, pool, orphan.jobs)
        plan = tear_down(orphan.children, orphan.claimed, volumes, reusable_at, now, cleaning)
        if plan.waiting:
            _LOG.warning("what %s left has to wait: %s", orphan.lease, plan.waiting)
        outcome = await carry_out(world, plan)
        for _, error in outcome.failures:
            _LOG.warning("taking away what %s left: %s; trying again", orphan.lease, error)
    await measure.clear_if_idle(world.client, now)
    metrics.count_phases(lease.get("status", {}).get("phase", "Unknown") for lease in world.leases)
    nodes = observe.all_nodes(world)
    metrics.count_nodes(observe.cleaning_modes(world, nodes), sum(node.quarantined for node in nodes))
    metrics.LAST_SWEEP.set(now.timestamp())
    return len(found)
