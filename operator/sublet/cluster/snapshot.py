"""One reading of what plans are made from, for commands that look once and go."""

from sublet.cluster.client import Client
from sublet.cluster.kinds import NODE, STORAGE_CLASS
from sublet.cluster.store import Raw
from sublet.cluster.world import Listeners, World


async def snapshot(client: Client) -> World:
    """The pools, leases, nodes and StorageClasses as they are now: four lists, and nothing is followed or written.

    Volumes are not read: that a class on offer has a free one is for the operator to see.

    Raises:
        SubletError: A list could not be had.
    """
    nobody = Listeners(
        lease=_unheard,
        pool=_unheard,
        node=_unheard,
        child=_unheard,
        volume=_unheard,
        storage_class=_unheard,
        served=lambda: None,
    )
    world = World(client, nobody)
    await world.refresh()
    for kind, store in ((NODE, world.nodes), (STORAGE_CLASS, world.classes)):
        answer = await client.list(kind)
        store.replace(answer["items"], answer["metadata"]["resourceVersion"])
    return world


def _unheard(_before: Raw | None, _after: Raw | None) -> None:
    """Nobody waits for news of a single reading."""
