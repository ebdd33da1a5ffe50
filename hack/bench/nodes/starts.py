"""The start: lease applied to the first container that runs, beside the same pod without a lease."""

import time

from hack.bench.nodes.place import Place, row


async def start_times(place: Place, times: int) -> None:
    """Each in turn, so that whatever else the machine does meets both alike."""
    leased: list[float] = []
    active: list[float] = []
    bare: list[float] = []
    for number in range(times + 1):
        began = time.monotonic()
        namespace = await place.rent(f"start-{number}")
        ready = time.monotonic()
        await place.run(namespace, "sleep")
        done = time.monotonic()
        await place.remove_lease(f"start-{number}")
        plain = time.monotonic()
        await place.run(await place.bare(f"plain-start-{number}"), "sleep")
        ran = time.monotonic()
        await place.remove_namespace(f"plain-start-{number}")
        if number:  # the first pods find no image on the nodes
            leased.append(done - began)
            active.append(ready - began)
            bare.append(ran - plain)
    print(f"\nlease applied to first container running, {times} times, seconds")
    row("with a lease", leased)
    row("  of which until it is Active", active)
    row("namespace and pod without a lease", bare, against=leased)
