"""The service: what changes in the world, and whom it lets be looked at, and when."""

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import Mock

from sublet.clock import ManualClock
from sublet.cluster.client import Client
from sublet.service import Service
from sublet.settings import Settings
from sublet.worklist import Worklist

Raw = dict[str, Any]


async def nothing(_key: str) -> datetime | None:
    """A pass that does nothing."""
    return None


def a_service(clock: ManualClock, lease: Raw) -> Service:
    """A service that has looked at a lease."""
    service = Service(Mock(spec=Client), clock, Settings())
    service.world.leases.put(lease)
    service.leases = Worklist(clock, nothing, workers=1)
    return service


def a_lease(version: int, **status: object) -> Raw:
    """A lease that waits, as the API server sends it."""
    metadata = {"name": "a", "uid": "a", "generation": 1, "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"pool": "h100"}, "status": {"observedGeneration": 1, **status}}


async def test_news_of_a_place_in_the_queue_is_gathered() -> None:
    """With a long queue every plan moves everybody in it."""
    clock = ManualClock()
    service = a_service(clock, a_lease(1, phase="Queued", queue={"position": 3}))
    service.world.leases.put(a_lease(2, phase="Queued", queue={"position": 2}))
    assert service.leases.is_idle()
    clock.advance(timedelta(seconds=2))
    assert not service.leases.is_idle()


async def test_a_booking_is_looked_at_at_once() -> None:
    clock = ManualClock()
    service = a_service(clock, a_lease(1, phase="Queued", queue={"position": 1}))
    service.world.leases.put(a_lease(2, phase="Queued", startsAt="2026-03-01T12:00:00Z", nodes=["n"]))
    assert not service.leases.is_idle()


async def test_what_a_booked_lease_says_is_looked_at_at_once() -> None:
    """Somebody may have written over it."""
    clock = ManualClock()
    service = a_service(clock, a_lease(1, phase="Active", startsAt="2026-03-01T12:00:00Z", message=""))
    service.world.leases.put(a_lease(2, phase="Active", startsAt="2026-03-01T12:00:00Z", message="not ours"))
    assert not service.leases.is_idle()
