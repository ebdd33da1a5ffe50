"""kopf's own settings, its login, and its life around the service."""

import asyncio
import random
from collections.abc import Iterator

import kopf

from sublet.cluster.client import Client
from sublet.handlers import objects
from sublet.service import Service


class EndlessBackoff:
    """Pauses between tries that never run out: 0.5 s, doubling to 30 s, jittered.

    kopf leaves when its list of pauses ends. An operator that leaves during an outage of the API server has
    nobody to end leases when the outage is over.
    """

    def __iter__(self) -> Iterator[float]:
        pause = 0.5
        while True:
            yield pause * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, 30.0)


def configure(settings: kopf.OperatorSettings) -> None:
    """Set kopf up as a plain watcher with bounded resources."""
    settings.networking.error_backoffs = EndlessBackoff()
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.enforce_retry_after = True
    # One idle worker for each object would cost megabytes per thousand leases.
    settings.queueing.worker_limit = 50
    settings.queueing.idle_timeout = 0.2
    settings.watching.server_timeout = 290
    settings.watching.client_timeout = 310
    settings.watching.connect_timeout = 5
    # Our kinds are known by name, and events are ours to write: no right is needed for either.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.peering.standalone = True
    # The kubelet has a time limit of its own for a process that does not end.
    settings.process.ultimate_exiting_timeout = None


async def connection(client: Client) -> kopf.ConnectionInfo:
    """The credentials of our own client, for kopf's connections."""
    endpoint = await client.endpoint()
    scheme, token = endpoint.authorization or (None, None)
    certificate, key = endpoint.certificate or (None, None)
    return kopf.ConnectionInfo(
        server=endpoint.server,
        ca_path=endpoint.ca,
        insecure=endpoint.insecure,
        scheme=scheme,
        token=token,
        certificate_path=certificate,
        private_key_path=key,
    )


async def run(service: Service, *, liveness: str = "", stop: asyncio.Event | None = None) -> None:
    """Run kopf's watch and the service until `stop` is set or the process is told to end.

    Raises:
        Exception: Whatever broke one of them down; the process is to be started again.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: object) -> kopf.ConnectionInfo:
        """Called anew whenever the API server refuses the token that kopf has."""
        return await connection(service.world.client)

    objects.register(registry, service)
    settings = kopf.OperatorSettings()
    configure(settings)
    watching = await kopf.spawn_tasks(
        registry=registry,
        settings=settings,
        clusterwide=True,
        standalone=True,
        liveness_endpoint=liveness or None,
        stop_flag=stop or asyncio.Event(),
    )
    # Not kopf.operator(): in its end it cancels every task of the loop, also those that are not its own.
    tasks = {*watching, asyncio.create_task(service.run(), name="service")}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
