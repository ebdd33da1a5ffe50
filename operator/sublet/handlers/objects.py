"""The watch on leases and pools: every event is handed to the store, whose listener knows whom to look at."""

import kopf

from sublet.api.meta import GROUP, VERSION
from sublet.cluster.store import Store
from sublet.service import Service


def register(registry: kopf.OperatorRegistry, service: Service) -> None:
    """Watch our own kinds for `service`.

    Only event handlers are used: they add no finalizer and no annotation, and write nothing. kopf does not tell
    of an object that vanished while its watch was broken; the service's sweep finds those.
    """
    for plural, store in (("gpuleases", service.world.leases), ("gpupools", service.world.pools)):

        @kopf.on.event(GROUP, VERSION, plural, registry=registry, id=f"look-at-{plural}")
        async def look(event: kopf.RawEvent, store: Store = store, **_: object) -> None:
            if event["type"] == "DELETED":
                store.drop(dict(event["object"]))
            else:
                store.put(dict(event["object"]))
