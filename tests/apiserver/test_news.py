"""News: what wakes a pass at once, and what does not, however patient the operator is with the rest."""

from datetime import timedelta

import pytest

from sublet import reconcile
from sublet.cluster import kinds
from sublet.settings import Settings
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.site import Site, eventually
from tests.apiserver.test_main_job import condition
from tests.conftest import Tool


@pytest.fixture
async def waiting_site(bare_site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose operator looks at nothing again unless it is told."""
    monkeypatch.setattr(reconcile, "_PATIENCE", timedelta(hours=1))
    bare_site.settings = Settings(sweep_every=timedelta(hours=1))
    await bare_site.start_operator()
    return bare_site


async def test_a_lease_begins_when_its_last_node_is_given_back(waiting_site: Site, kubectl: Tool) -> None:
    """A node that still carries another's claim at the start is waited for, and the lease goes on once it is free."""
    site = waiting_site
    await site.pool(nodes=2)
    start = (site.clock.now() + timedelta(seconds=4)).replace(microsecond=0)
    await site.lease("a", start=start.strftime("%Y-%m-%dT%H:%M:%SZ"), duration="1h")
    late = (await site.reach("a", "Reserved"))["status"]["nodes"][0]
    kubectl("label", "node", late, "sublet.dev/lease=somebody-elses", *BREAK_GLASS)

    async def waits() -> bool:
        return condition(await site.see("a"), "NodesReady")[1] == "NodeUnhealthy"

    await eventually(waits, f"the lease waits for {late}")
    kubectl("label", "node", late, "sublet.dev/lease-", *BREAK_GLASS)
    await site.reach("a", "Active")


async def test_what_goes_with_its_namespace_is_no_news(waiting_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pods of a lease that is over are stopped once, not once more for each object that goes."""
    site = waiting_site
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")
    stopped = []
    client = site.operators[0].service.world.client
    delete_all = client.delete_all

    async def counted(kind: kinds.Kind, namespace: str, *, grace_seconds: int) -> None:
        stopped.append(namespace)
        await delete_all(kind, namespace, grace_seconds=grace_seconds)

    monkeypatch.setattr(client, "delete_all", counted)
    await site.edit("a", release=True)
    await site.reach("a", "Ended")
    # Once more for the lease's own new status, and once for the namespace that is being deleted by then.
    assert len(stopped) <= 4, stopped
