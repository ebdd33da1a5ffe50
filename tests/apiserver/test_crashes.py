"""Crashes: an operator that dies before or after any of its writes is followed by one that ends in the same state."""

import asyncio
import itertools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from sublet.clock import ManualClock
from sublet.cluster import kinds, planner_lock
from sublet.cluster.client import Client
from tests.apiserver.reservations import reservations_apart, spot_of
from tests.apiserver.site import Site, eventually
from tests.apiserver.test_drift import snapshot
from tests.apiserver.test_healing import QUARANTINED, fail, moved, ready_because
from tests.apiserver.test_reclaim import record_of

Raw = dict[str, Any]

pytestmark = pytest.mark.usefixtures("cluster_policies")
"""With every object that a lease can have, so that there is a crash at the write of each."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the planning of a pool be taken over sooner than in 3 s: there are a hundred deaths here."""
    monkeypatch.setattr(planner_lock, "_HELD_FOR", timedelta(seconds=0.6))
    monkeypatch.setattr(planner_lock, "_RENEW_EVERY", timedelta(seconds=0.2))


class MortalClient(Client):
    """A client that stops for ever at its n-th write, just before or just after the API server has it.

    What a killed process leaves behind is exactly that: a write that was sent or not, and nothing after it.
    """

    mortal_at = 0
    after = False
    lives = 0

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Raw | None,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> aiohttp.ClientResponse:
        counts = method != "GET" and not path.endswith("/events")
        self.lives += counts
        last = counts and self.lives == self.mortal_at
        if last and not self.after:
            await self._die()
        answer = await super()._send(method, path, query, body, headers, timeout)
        if last:
            await answer.read()
            await self._die()
        return answer

    async def _die(self) -> None:
        self.dead.set()
        await asyncio.Event().wait()

    def will_die(self, at: int, *, after: bool) -> None:
        """Set the write at which it stops; 0 for never."""
        self.mortal_at, self.after, self.lives = at, after, 0
        self.dead = asyncio.Event()


async def mortal(site: Site, at: int, *, after: bool) -> MortalClient:
    """A mortal client with the operator's rights."""
    client = await MortalClient.connect(str(site.cluster.kubeconfig.with_name("operator.kubeconfig")))
    client.will_die(at, after=after)
    return client


async def run_until_death(site: Site, client: MortalClient, done: asyncio.Task[Raw]) -> bool:
    """Whether the operator died before what it was to do was done."""
    dead = asyncio.create_task(client.dead.wait())
    await asyncio.wait({dead, done}, return_when=asyncio.FIRST_COMPLETED)
    died = not done.done()
    dead.cancel()
    if died:
        await site.operators[-1].kill()
    return died


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
async def test_a_start_survives_a_crash_at_every_write(bare_site: Site, *, after: bool) -> None:
    """Whichever write is the last one, a second operator brings the lease to the same Active state."""
    site = bare_site
    await site.pool(nodes=60)
    whole: Raw | None = None
    for at in range(1, 100):
        lease = f"a{at}"
        client = await mortal(site, at, after=after)
        operator = await site.start_operator(client)
        await site.lease(lease)
        active = asyncio.create_task(site.reach(lease, "Active"))
        died = await run_until_death(site, client, active)
        if died:
            await site.start_operator()
        status = (await active)["status"]
        seen = await snapshot(site, status["namespaces"][0], status["nodes"][0])
        uid = (await site.see(lease))["metadata"]["uid"]
        nodes = {node: f"NODE {number}" for number, node in enumerate(status["nodes"])}
        seen = _nameless(seen, {site.name(lease): "LEASE", uid: "UID", **nodes})
        whole = whole or seen
        assert seen == whole, f"after a crash at write {at}"
        if not died:
            await operator.stop()
            assert at > 8, "a lease takes more writes than that: nothing was tried"
            return
        await site.operators[-1].stop()
    pytest.fail("the start of a lease never came to its end")


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
async def test_an_end_survives_a_crash_at_every_write(bare_site: Site, *, after: bool) -> None:
    """Whichever write of give-back is the last one, a second operator leaves nothing, and one record."""
    site = bare_site
    await site.pool(nodes=60)
    for at in range(1, 100):
        lease = f"a{at}"
        # The API server's own clock lets nobody in before the start, so each lease starts at the real time.
        site.clock = ManualClock()
        client = await mortal(site, 0, after=after)
        operator = await site.start_operator(client)
        await site.lease(lease)
        await site.reach(lease, "Active")
        client.will_die(at, after=after)
        site.clock.advance(timedelta(hours=1))
        ended = asyncio.create_task(site.reach(lease, "Ended"))
        died = await run_until_death(site, client, ended)
        if died:
            await site.start_operator()
        uid = (await ended)["metadata"]["uid"]
        assert await site.holders() == {}
        for kind in (kinds.NAMESPACE, kinds.CLUSTER_NETWORK_POLICY):
            assert await site.find(kind, f"lease-{site.name(lease)}") is None
        record = await site.admin.get(kinds.LEASE_RECORD, f"{site.name(lease)}-{uid[:8]}")
        assert record["spec"]["rows"][0]["gpuSeconds"] == 16 * 3600
        if not died:
            await operator.stop()
            assert at > 5, "giving back takes more writes than that: nothing was tried"
            return
        await site.operators[-1].stop()
    pytest.fail("the end of a lease never came")


async def test_an_end_that_passed_meanwhile_is_caught_up(bare_site: Site) -> None:
    """A lease whose end came while no operator ran is ended by the next one's first pass, at the contract's end."""
    site = bare_site
    await site.pool(nodes=2)
    operator = await site.start_operator()
    await site.lease("a")
    ends_at = (await site.reach("a", "Active"))["status"]["endsAt"]
    await operator.kill()

    site.clock.advance(timedelta(hours=3))
    await site.start_operator()

    ended = await site.reach("a", "Ended")
    assert ended["status"]["endedAt"] == ends_at
    assert ended["status"]["gpuSeconds"] == 16 * 3600


async def test_a_lease_that_was_shortened_meanwhile_is_billed_to_its_new_end(bare_site: Site) -> None:
    """Though no operator saw that before both the new and the old end had passed."""
    site = bare_site
    await site.pool(nodes=2)
    operator = await site.start_operator()
    await site.lease("a", duration="2h")
    starts_at = (await site.reach("a", "Active"))["status"]["startsAt"]
    await operator.kill()

    await site.edit("a", duration="30m")
    site.clock.advance(timedelta(hours=3))
    await site.start_operator()

    ended = await site.reach("a", "Ended")
    (usage,) = await record_of(site, ended)
    assert (usage["start"], usage["end"]) == (starts_at, ended["status"]["endedAt"])
    assert usage["gpuSeconds"] == 16 * 1800


async def test_a_start_that_an_operator_died_over_is_credited(bare_site: Site) -> None:
    """The tenant was let in six minutes late, and pays for none of them."""
    site = bare_site
    await site.pool(nodes=2, pricing={"currency": "EUR", "firm": "2.50"})
    client = await mortal(site, 5, after=True)
    await site.start_operator(client)
    await site.lease("a")
    active = asyncio.create_task(site.reach("a", "Active"))
    assert await run_until_death(site, client, active)
    active.cancel()
    assert "readyAt" not in (await site.see("a"))["status"]

    site.clock.advance(timedelta(minutes=6))
    await site.start_operator()
    status = (await site.reach("a", "Active"))["status"]
    assert status["readyAt"] == status["activeAt"]
    site.clock.advance(timedelta(hours=1))

    usage, credit = await record_of(site, await site.reach("a", "Ended"))
    assert (credit["start"], credit["end"]) == (usage["start"], status["readyAt"])
    assert credit["reason"] == "not everything was in place"
    assert 16 * 360 <= -credit["gpuSeconds"] < 16 * 420
    assert credit["amount"].startswith("-4.")


async def test_two_operators_never_give_one_node_twice(bare_site: Site) -> None:
    """Two operators at work on the same leases book every node once, and each lease gets what it asked for."""
    site = bare_site
    await site.pool(nodes=12)
    await site.start_operator()
    await site.start_operator()

    for number in range(6):
        await site.lease(f"a{number}", nodes=2)
    booked = [(await site.reach(f"a{number}", "Active"))["status"]["nodes"] for number in range(6)]

    assert sorted(node for nodes in booked for node in nodes) == sorted({node for nodes in booked for node in nodes})
    holders = await site.holders()
    for number, nodes in enumerate(booked):
        assert {holders[node] for node in nodes} == {site.name(f"a{number}")}


async def test_an_outage_of_the_api_server_is_sat_out(site: Site) -> None:
    """A lease whose end falls into an outage of the API server is ended when it answers again."""
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")
    server = site.cluster.component("kube-apiserver")

    server.kill()
    site.clock.advance(timedelta(hours=1))
    await asyncio.to_thread(server.start)

    async def ended() -> bool:
        try:
            phase: str = (await site.see("a"))["status"]["phase"]
        except Exception:  # noqa: BLE001 - it may still be coming up
            return False
        return phase == "Ended"

    await eventually(ended, "the lease has ended", within=60)
    assert await site.holders() == {}


def _nameless(seen: Raw, names: Mapping[str, str]) -> Raw:
    """A snapshot without what differs between two leases: names, UID and times."""

    def plain(value: Any) -> Any:  # noqa: ANN401 - a tree of JSON
        if isinstance(value, dict):
            return {plain(key): plain(item) for key, item in value.items() if not key.endswith(("-at", "At"))}
        if isinstance(value, list):
            return [plain(item) for item in value]
        text = str(value)
        for name, stand_in in names.items():
            text = text.replace(name, stand_in)
        return text

    result: Raw = plain(seen)
    return result


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
async def test_a_replacement_survives_a_crash_at_every_write(bare_site: Site, *, after: bool) -> None:
    """The failed node is quarantined and never free in between, and the lease has the other one claimed."""
    site = bare_site
    await site.pool(nodes=60)
    for at in range(1, 100):
        lease = f"a{at}"
        site.clock = ManualClock()
        client = await mortal(site, 0, after=after)
        operator = await site.start_operator(client)
        await site.lease(lease)
        failed, other = (await site.reach(lease, "Active"))["status"]["nodes"]
        await fail(site, failed)
        await ready_because(site, lease, "Degraded")
        client.will_die(at, after=after)
        site.clock.advance(timedelta(minutes=6))
        healed = asyncio.create_task(healed_without(site, lease, failed))
        died = await run_until_death(site, client, healed)
        node = await site.admin.get(kinds.NODE, failed)
        assert {taint["key"] for taint in node["spec"]["taints"]} & {"sublet.dev/lease", "sublet.dev/quarantined"}
        if died:
            await site.start_operator()
        seen = await healed
        assert other in seen["status"]["nodes"]
        assert [outage["node"] for outage in seen["status"]["outages"]] == [failed]
        if not died:
            await operator.stop()
            assert at > 3, "a booking, a quarantine and a claim are three writes: nothing was tried"
            return
        await site.edit(lease, release=True)
        await site.reach(lease, "Ended")
        await site.operators[-1].stop()
    pytest.fail("the replacement never came to its end")


async def healed_without(site: Site, lease: str, failed: str) -> Raw:
    """Wait until a lease has all its nodes again and a failed one is quarantined."""
    seen = await moved(site, lease, failed)

    async def is_quarantined() -> bool:
        node = await site.admin.get(kinds.NODE, failed)
        return QUARANTINED in node["spec"].get("taints", [])

    await eventually(is_quarantined, f"{failed} is quarantined")
    await ready_because(site, lease, "NodesClaimed")
    return seen


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
async def test_a_reservation_that_makes_room_survives_a_crash_at_every_write(bare_site: Site, *, after: bool) -> None:
    """At no moment do two leases have a node at once, and a second operator books what the first was about to."""
    site = bare_site
    await site.pool(nodes=2)
    for at in range(1, 20):
        client = await mortal(site, 0, after=after)
        operator = await site.start_operator(client)
        spots = await reservations_apart(site, str(at))
        client.will_die(at, after=after)
        early = spots[f"early{at}"]
        start = (early.start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        await site.lease(f"between{at}", nodes=1, start=start, duration="3h")
        booked = asyncio.create_task(site.reach(f"between{at}", "Reserved"))
        died = await run_until_death(site, client, booked)
        await assert_no_node_is_booked_twice(site)
        if died:
            await site.start_operator()
        await booked
        await assert_no_node_is_booked_twice(site)
        if not died:
            await operator.stop()
            assert at > 2, "a move and a booking are two writes: nothing was tried"
            return
        await asyncio.gather(*(site.edit(lease, release=True) for lease in (*spots, f"between{at}")))
        for lease in (*spots, f"between{at}"):
            await site.reach(lease, "Ended")
        await site.operators[-1].stop()
    pytest.fail("the reservation never came to its end")


async def assert_no_node_is_booked_twice(site: Site) -> None:
    """As the leases have it on record at this moment."""
    leases = (await site.admin.list(kinds.GPU_LEASE))["items"]
    mine = [lease for lease in leases if lease["spec"]["pool"] == site.prefix]
    spots = [spot_of(lease) for lease in mine if lease.get("status", {}).get("phase") == "Reserved"]
    for one, other in itertools.combinations(spots, 2):
        assert one.end <= other.start or other.end <= one.start or not {*one.nodes} & {*other.nodes}
