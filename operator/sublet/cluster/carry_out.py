"""Carrying out: a plan in, calls in its order, and what became of them out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from sublet.cluster.client import Client
from sublet.cluster.kinds import BY_KIND, NODE, POD
from sublet.cluster.probe import ask
from sublet.cluster.world import World
from sublet.errors import ConflictError, ExistsError, NotFoundError, SubletError
from sublet.plan.steps import Apply, ChangeNode, Create, Delete, Plan, Probe, RunJob, Step, StopPods

_AT_ONCE = 16


@dataclass(frozen=True)
class Outcome:
    """What became of a plan.

    Attributes:
        failures: The steps that failed and why, in order; empty if all that was planned is done.
    """

    failures: tuple[tuple[Step, SubletError], ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether every step was carried out."""
        return not self.failures

    @property
    def is_stale(self) -> bool:
        """Whether all that failed was refused because we had not seen the newest state of an object."""
        return bool(self.failures) and all(isinstance(error, ConflictError) for _, error in self.failures)


async def carry_out(world: World, plan: Plan, is_current: Callable[[], bool] = lambda: True) -> Outcome:
    """Carry out the waves in order, and stop after the first in which something failed.

    Args:
        world: The world.
        plan: What is to be done.
        is_current: Asked before each wave: whether what the plan was made for still holds.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def attempt(step: Step) -> tuple[Step, SubletError] | None:
        async with limit:
            try:
                await _take(world, step)
            except SubletError as error:
                return step, error
        return None

    for wave in filter(None, plan.waves):
        if not is_current():
            return Outcome(((wave[0], ConflictError("the lease was written while its pass was under way")),))
        results = await asyncio.gather(*(attempt(step) for step in wave))
        failures = tuple(result for result in results if result is not None)
        if failures:
            return Outcome(failures)
    return Outcome()


async def _take(world: World, step: Step) -> None:
    client: Client = world.client
    match step:
        case Create(manifest):
            await client.create(manifest)
        case Apply(manifest):
            await client.apply(manifest)
        case Delete(kind, name, namespace, uid):
            await client.delete(BY_KIND[kind], name, namespace or None, uid=uid)
        case StopPods(namespace, grace_seconds):
            try:
                await client.delete_all(POD, namespace, grace_seconds=grace_seconds)
            except NotFoundError:
                return
        case Probe():
            await ask(client, step)
        case RunJob(manifest):
            try:
                world.jobs.put(await client.create(manifest))
            except ExistsError:
                return  # made by another operator, or by one that died; the watch tells how it goes
        case ChangeNode(name, change):
            world.nodes.put(await client.patch(NODE, name, change))
        case _:
            assert_never(step)
