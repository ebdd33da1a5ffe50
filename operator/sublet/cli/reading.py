"""What commands that answer from the plan read of the cluster, with the caller's own credentials."""

import asyncio

from sublet.cluster.client import Client
from sublet.cluster.snapshot import snapshot
from sublet.cluster.world import World
from sublet.errors import ForbiddenError, NotFoundError, UnavailableError


def read() -> World:
    """The pools, leases and nodes of the cluster.

    Raises:
        SubletError: They cannot be read; the message says what to do.
    """
    try:
        return asyncio.run(_read())
    except ForbiddenError as error:
        raise ForbiddenError(f"{error}; the ClusterRole sublet-viewer allows it") from error
    except NotFoundError as error:
        raise UnavailableError("the cluster knows no pools and leases; install Sublet's chart first") from error


async def _read() -> World:
    client = await Client.connect()
    try:
        return await snapshot(client)
    finally:
        await client.close()
