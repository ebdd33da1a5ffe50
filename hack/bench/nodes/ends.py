"""The end: lease released to the last process gone, beside a pod that is deleted with the same grace."""

import time

from hack.bench.nodes.place import Place, last_gone, row
from sublet.cluster import kinds

GRACE = 5


async def end_times(place: Place, times: int) -> None:
    """For a pod that ends when it is asked to, and one that has to be killed."""
    for command, title in (("sleep", "pods that stop by themselves"), ("ignore-term", "pods that ignore SIGTERM")):
        leased: list[float] = []
        bare: list[float] = []
        for number in range(times):
            leased.append(await _leased(place, f"end-{command}-{number}", command))
            bare.append(await _bare(place, f"plain-{command}-{number}", command))
        print(f"\nend to last process gone, {title}, {times} times, seconds")
        row("lease released", leased)
        row(f"pod deleted with {GRACE} s of grace", bare, against=leased)


async def _leased(place: Place, name: str, command: str) -> float:
    namespace = await place.rent(name)
    await place.run(namespace, command)
    pids = place.processes(namespace)
    began = time.time()
    await place.site.client.patch(kinds.GPU_LEASE, name, {"spec": {"release": True}})
    took = await last_gone(pids) - began
    await place.remove_lease(name)
    return took


async def _bare(place: Place, namespace: str, command: str) -> float:
    await place.run(await place.bare(namespace), command)
    pids = place.processes(namespace)
    began = time.time()
    await place.site.client.delete_all(kinds.POD, namespace, grace_seconds=GRACE)
    took = await last_gone(pids) - began
    await place.remove_namespace(namespace)
    return took
