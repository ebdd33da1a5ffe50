"""The operator for a compressed day: the real one, with a clock that runs faster and a cluster that seems to.

    python -m hack.day.operator --base 2026-01-01T00:00:00+00:00 --factor 96 [--metrics-port N]

What the API server stamps is read in the day's time, where it enters the stores and nowhere else.
"""

import argparse
import asyncio
import logging
import sys
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import kopf
from prometheus_client import start_http_server

from sublet import place, reconcile, service, worklist
from sublet.clock import CompressedClock
from sublet.cluster import planner_lock
from sublet.cluster.client import Client
from sublet.cluster.store import Store
from sublet.cluster.world import World
from sublet.handlers import startup
from sublet.service import Service
from sublet.settings import Settings

Raw = dict[str, Any]

_PAUSES = (
    (service, "_GATHER"),
    (service, "_GATHER_NODES"),
    (service, "_GATHER_PLACES"),
    (worklist, "_FIRST_PAUSE"),
    (worklist, "_LONGEST_PAUSE"),
    (place, "_SOON"),
    (place, "_TELL_EVERY"),
    (planner_lock, "_HELD_FOR"),
    (planner_lock, "_RENEW_EVERY"),
    (reconcile, "_PATIENCE"),
)
"""Pauses that belong to the machine and not to any contract: they last as long as ever, by its own clock."""


def main() -> int:
    """Run until killed."""
    parser = argparse.ArgumentParser(prog="python -m hack.day.operator")
    parser.add_argument("--base", type=datetime.fromisoformat, required=True, help="when the day begins")
    parser.add_argument("--factor", type=int, required=True, help="seconds of the day in one second")
    parser.add_argument("--metrics-port", type=int, default=0)
    given = parser.parse_args()
    kopf.configure(log_format=kopf.LogFormat.FULL)
    logging.getLogger("sublet").setLevel(logging.INFO)
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    if given.metrics_port:
        start_http_server(given.metrics_port)
    for module, name in _PAUSES:
        patch.object(module, name, vars(module)[name] * given.factor).start()
    asyncio.run(_operate(CompressedClock(given.base, given.factor)))
    return 0


async def _operate(clock: CompressedClock) -> None:
    client = await Client.connect()
    settings = Settings(sweep_every=timedelta(seconds=30) * clock.factor)
    operator = Service(client, clock, settings)
    read_in_time_of(clock, operator.world)
    try:
        await startup.run(operator)
    finally:
        await client.close()


def read_in_time_of(clock: CompressedClock, world: World) -> None:
    """Let the stores of a world take in everything with its stamps as they are by `clock`."""
    for store in (world.leases, world.pools, world.nodes):
        _translate(store, clock, conditions=store is world.nodes)


def _translate(store: Store, clock: CompressedClock, *, conditions: bool) -> None:
    put = store.put

    def translated(obj: Raw) -> None:
        # The conditions of leases and pools are the operator's own, and so in the day's time already.
        put(_stamped(obj, clock, conditions=conditions))

    store.put = translated  # type: ignore[method-assign]


def _stamped(obj: Raw, clock: CompressedClock, *, conditions: bool) -> Raw:
    def by_clock(holder: Raw, *keys: str) -> Raw:
        found = {key: clock.at(datetime.fromisoformat(holder[key])).isoformat() for key in keys if holder.get(key)}
        return {**holder, **found}

    metadata = by_clock(obj["metadata"], "creationTimestamp", "deletionTimestamp")
    if "managedFields" in metadata:
        metadata["managedFields"] = [by_clock(entry, "time") for entry in metadata["managedFields"]]
    if not conditions:
        return {**obj, "metadata": metadata}
    status = obj.get("status") or {}
    seen = [by_clock(condition, "lastTransitionTime") for condition in status.get("conditions") or ()]
    return {**obj, "metadata": metadata, "status": {**status, "conditions": seen}}


if __name__ == "__main__":
    sys.exit(main())
