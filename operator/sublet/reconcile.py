"""The pass over a lease: observe, judge, render, plan, carry out, report. It can be repeated at any time."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from sublet.api.lease import GPULease
from sublet.calendar import lifecycle
from sublet.calendar.lifecycle import Facts, Stage
from sublet.cluster import observe, publish, storage
from sublet.cluster.carry_out import Outcome, carry_out
from sublet.cluster.kinds import CLUSTER_NETWORK_POLICY
from sublet.cluster.world import World
from sublet.desired import naming
from sublet.desired.render import render
from sublet.errors import GuardError
from sublet.plan import booking, extension, judging, status
from sublet.plan.conditions import RUNNING, Situation
from sublet.plan.diff import build_up, holds, out_of_reach
from sublet.plan.observed import LeaseView
from sublet.plan.probes import probes
from sublet.plan.proof import Unproven, unproven
from sublet.plan.sanitizing import Cleaning, came_back_anew, cleaning_of, dirty, quarantine
from sublet.plan.steps import NOTHING_TO_DO, Plan
from sublet.plan.teardown import is_cleared, is_emptied, revoke, tear_down
from sublet.plan.translate import tenancy_of
from sublet.plan.volumes import stuck
from sublet.policy import times
from sublet.policy.chain import Verdict
from sublet.policy.rules import judge
from sublet.settings import Settings
from sublet.telemetry import events, metrics

_LOG = logging.getLogger(__name__)

_GIVING_BACK = {Stage.RELEASING, Stage.SANITIZING}
"""The stages in which what a lease has is taken away."""

_PATIENCE = timedelta(seconds=15)
"""After how long a pass looks again for what it waits for, in case the news of it was lost."""


async def reconcile(world: World, name: str, settings: Settings, now: datetime) -> datetime | None:
    """One pass over a lease.

    Returns:
        When to look again by the clock; None if only a change can matter.

    Raises:
        SubletError: Something could not be done; the status says so already, and the pass is to be repeated.
    """
    seen = observe.lease_view(world, name)
    if seen is None:
        return None
    verdict = None if booking.is_promised(seen.lease) else judge(judging.lease_input(seen, now))
    stage = lifecycle.stage(_facts(seen, verdict, now), now)
    if stage in RUNNING:
        await publish.hold(world, seen.lease)
    if stage in _GIVING_BACK and _must_look_for_volumes(seen):
        await world.read_volumes()
        names = naming.namespace_names(name, seen.lease.spec.namespaces)
        seen = replace(seen, volumes=storage.volumes_in(world, names))
    doubt = unproven(seen, observe.probe_image(world), now) if stage in RUNNING else None
    plan = _plan(
        seen,
        stage,
        settings,
        now,
        lets_in=doubt is None or seen.lease.status.active_at is not None,
        mutating=world.completes_pods,
        has_cluster_policies=world.serves(CLUSTER_NETWORK_POLICY),
    )
    done = await carry_out(world, plan, lambda: _is_current(world, seen.lease))
    if done.is_stale:
        # Somebody wrote first, as a kubelet does all the time: look again before saying anything.
        raise done.failures[0][1]
    situation = _situation(world, seen, verdict, plan, done, doubt, now)
    await _report(world, seen, situation, now)
    if done.failures:
        raise done.failures[0][1]
    return _wake(seen, situation, now)


def _must_look_for_volumes(seen: LeaseView) -> bool:
    """Whether a node is about to leave the lease's hands, or to be cleaned, that was in them until now."""
    untouched = any(node.sanitizing_after is None for node in seen.claimed)
    return untouched and not seen.volumes and is_emptied(seen.own_children)


def _cleaning(seen: LeaseView) -> Cleaning:
    return cleaning_of(seen.lease.metadata.name, seen.lease.metadata.uid, seen.pool, seen.jobs)


def _is_current(world: World, lease: GPULease) -> bool:
    """Whether a lease still wants what it wanted when its pass began.

    A pass waits for the API server again and again. A node that was replaced meanwhile must not be claimed any more.
    """
    now = observe.find_lease(world, lease.metadata.name)

    def wanted(seen: GPULease) -> object:
        return seen.metadata.uid, seen.spec, seen.status.nodes, seen.status.starts_at, seen.status.ends_at

    return now is not None and wanted(now) == wanted(lease)


def _facts(seen: LeaseView, verdict: Verdict | None, now: datetime, *, in_place: bool = False) -> Facts:
    lease = seen.lease
    return Facts(
        refused=verdict is not None,
        starts_at=lease.status.starts_at,
        drain_at=lease.status.drain_at,
        ends_at=lease.status.ends_at,
        unanswered=seen.pool is not None and extension.is_unanswered(lease, now),
        withdrawn=lease.spec.release or lease.metadata.deletion_timestamp is not None,
        ended=lease.status.ended_at is not None,
        suspended=lease.spec.suspend,
        reclaimed=status.is_reclaimed(lease),
        in_place=in_place,
        cleaning=is_emptied(seen.own_children) and not seen.volumes and _cleaning(seen).how is not None,
        cleared=is_cleared(seen.own_children, seen.claimed, seen.volumes, _cleaning(seen)),
    )


def _plan(
    seen: LeaseView,
    stage: Stage,
    settings: Settings,
    now: datetime,
    *,
    lets_in: bool = True,
    mutating: bool,
    has_cluster_policies: bool,
) -> Plan:
    if stage in _GIVING_BACK:
        return _take_away(seen, now)
    if stage not in RUNNING:
        return NOTHING_TO_DO
    if seen.pool is None:
        shut = revoke(seen.own_children) if seen.lease.spec.suspend else ()
        return Plan((shut,), waiting="the pool is gone; the lease keeps what it has until its end")
    booked = [node for name in seen.lease.status.nodes if (node := seen.nodes.get(name)) is not None]
    tenancy = tenancy_of(
        seen.lease,
        seen.pool,
        booked,
        stage,
        settings.tenant_role,
        has_cluster_policies=has_cluster_policies,
        classes=seen.classes,
    )
    wanted = render(tenancy)
    return build_up(seen, wanted if lets_in else replace(wanted, access=()), probes(tenancy, mutating=mutating))


def _take_away(seen: LeaseView, now: datetime) -> Plan:
    reusable_at = (status.end_of(seen.lease, now) or now) + _cleaning_gap(seen)
    cleaning = _cleaning(seen)
    plan = tear_down(seen.own_children, seen.claimed, seen.volumes, reusable_at, now, cleaning)
    why = "the node was deleted before it was cleaned, and came back"
    anew = tuple(quarantine(node, cleaning, why) for node in came_back_anew(seen, cleaning))
    return replace(plan, waves=(*plan.waves, anew)) if anew else plan


def _situation(
    world: World,
    seen: LeaseView,
    verdict: Verdict | None,
    plan: Plan,
    done: Outcome,
    doubt: Unproven | None,
    now: datetime,
) -> Situation:
    """What the status is to tell, with the nodes as they are after the pass."""
    after = (observe.lease_view(world, seen.lease.metadata.name) if any(plan.waves) else None) or seen
    held = [node for node in after.claimed if holds(node, after)]
    missing = out_of_reach(after)
    guarded = done.succeeded and not plan.waiting
    whole = guarded and doubt is None and not missing and len(held) == len(after.lease.status.nodes)
    return Situation(
        lease=seen.lease,
        # A tenant that was let in stays in: what fails later shows in the conditions.
        stage=lifecycle.stage(
            _facts(seen, verdict, now, in_place=whole or seen.lease.status.active_at is not None), now
        ),
        verdict=verdict,
        notices=seen.pool.spec.schedule.notices if seen.pool else (),
        cleaning_gap=_cleaning_gap(seen),
        missing=missing,
        claimed=held,
        guarded=guarded,
        admitted=guarded and (whole or seen.lease.status.active_at is not None),
        waiting=plan.waiting,
        volumes_stuck=is_emptied(seen.own_children) and bool(stuck(seen.volumes)),
        failure=done.failures[0][1].message if done.failures else "",
        sanitize=seen.pool.spec.sanitize.mode if seen.pool and seen.pool.spec.sanitize else None,
        dirty=dirty([node for node in after.nodes.values() if node is not None], seen.lease.metadata.uid),
        probe_failed=any(isinstance(error, GuardError) for _, error in done.failures),
        unproven=doubt,
    )


def _cleaning_gap(seen: LeaseView) -> timedelta:
    return seen.pool.spec.schedule.cleaning_gap if seen.pool else timedelta()


async def _report(world: World, seen: LeaseView, situation: Situation, now: datetime) -> None:
    """Write what changed: the ledger before the phase that closes it, the finalizer last."""
    lease = seen.lease
    before = Stage(lease.status.phase.value) if lease.status.phase else Stage.QUEUED
    if not lifecycle.may_move(before, situation.stage):
        _LOG.error("%s moved from %s to %s, which no lease may", lease.metadata.name, before, situation.stage)
    news = status.report(situation, now)
    if situation.stage is Stage.ENDED or (situation.stage is Stage.SANITIZING and before is not Stage.SANITIZING):
        # All that is billed has happened: cleaning may take days, and is on nobody's bill.
        await publish.record(world, lease, seen.nodes, now)
    if status.is_news(lease, news):
        await publish.lease_status(world, lease, news)
        for event in events.of_lease(lease, news):
            await publish.event(world, events.manifest(event, lease, now))
        _measure(seen, situation, now)
    if situation.stage is Stage.ENDED:
        await publish.let_go(world, lease)


def _measure(seen: LeaseView, situation: Situation, now: datetime) -> None:
    lease = seen.lease.status
    if situation.stage is Stage.ACTIVE and lease.active_at is None and lease.starts_at is not None:
        metrics.READY_SECONDS.observe((now - lease.starts_at).total_seconds())
    if situation.stage is Stage.ENDED and lease.released_at is None and lease.ended_at is not None:
        metrics.GIVE_BACK_SECONDS.observe((now - lease.ended_at).total_seconds())
        if situation.sanitize is not None:
            metrics.SANITIZE_SECONDS.observe((now - lease.ended_at).total_seconds())


def _wake(seen: LeaseView, situation: Situation, now: datetime) -> datetime | None:
    ends_at = seen.lease.status.ends_at
    notices = [ends_at - notice for notice in situation.notices] if ends_at is not None else []
    moments = [moment for moment in notices if moment > now]
    boundary = lifecycle.next_boundary(_facts(seen, situation.verdict, now), now)
    if boundary is not None:
        moments.append(boundary)
    if not booking.is_promised(seen.lease):
        # A lease that waited until its own end can no longer be had.
        moments += [end for end in [times.fixed_end(seen.lease.spec)] if end is not None and end > now]
    if situation.waiting or (situation.stage in RUNNING and (situation.missing or situation.unproven)):
        moments.append(now + _PATIENCE)
    return min(moments, default=None)
