"""The hard stop: how late the last process is gone when nobody is there to end the lease."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from hack.bench.nodes.place import Place, last_gone, row
from hack.cluster import embedded
from hack.cluster.processes import wait_until
from sublet.cluster import kinds

SECONDS = 12
CONTROL_PLANE = ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")

Outage = Callable[[Place], AbstractContextManager[None]]


@contextmanager
def dead_operator(place: Place) -> Iterator[None]:
    """The operator is killed, and started again afterwards."""
    operator = place.site.operator
    operator.kill()
    try:
        yield
    finally:
        operator.start()


@contextmanager
def frozen_control_plane(place: Place) -> Iterator[None]:
    """The whole control plane is frozen too: connections stay open, and nothing answers."""
    with dead_operator(place):
        frozen = [place.cluster.component(name) for name in CONTROL_PLANE]
        for process in frozen:
            process.pause()
        try:
            yield
        finally:
            for process in reversed(frozen):
                process.resume()
            wait_until(lambda: embedded.is_healthy(place.cluster.state), 60, "the control plane is not back")


async def hard_stops(place: Place, times: int) -> None:
    """Of a pod that stops by itself; the baseline is what the operator does at the end of a lease when it is alive."""
    title = {dead_operator: "operator dead", frozen_control_plane: "control plane frozen"}
    late = {outage: [await _late(place, outage, n) for n in range(times)] for outage in title}
    alive = [await _late(place, None, number) for number in range(times)]
    print(f"\nhard stop to last process gone, {times} times, seconds")
    for outage, figures in late.items():
        row(title[outage], figures)
    row("operator alive", alive)


async def _late(place: Place, outage: Outage | None, number: int) -> float:
    name = f"stop-{outage.__name__.replace('_', '-') if outage else 'alive'}-{number}"
    namespace = await place.rent(name, f"{SECONDS}s")
    await place.run(namespace, "sleep")
    status = (await place.site.client.get(kinds.GPU_LEASE, name))["status"]
    stop = datetime.fromisoformat(status["hardStopAt"]).timestamp()
    pids = place.processes(namespace)
    if outage is None:
        took = await last_gone(pids) - stop
    else:
        with outage(place):
            took = await last_gone(pids) - stop
    await place.remove_lease(name)
    return took
