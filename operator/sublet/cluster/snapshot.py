"""One reading of what plans are made from, for commands that look once and go."""

from sublet.cluster.client import Client
from sublet.cluster.kinds import NODE
from sublet.cluster.store import Raw
from sublet.cluster.world import Listeners, World


async def snapshot(client: Client) -> World:
    """The pools, leases and nodes as they are now: three lists, and nothing is followed or written.

    Raises:
        SubletError: A list could not be had.
    """
    world = World(client, Listeners(lease=_unheard, pool=_unheard, node=_unheard, child=_unheard, served=lambda: None))
    await world.refresh()
    nodes = await client.list(NODE)
    world.nodes.replace(nodes["items"], nodes["metadata"]["resourceVersion"])
    return world


def _unheard(_before: Raw | None, _after: Raw | None) -> None:
    """Nobody waits for news of a single reading."""
