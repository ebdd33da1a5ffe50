"""The API server without what completes pods, as where such policies are not served."""

import contextlib
from collections.abc import Iterator

from sublet.guards import pods as guards
from sublet.guards.attacks.answer import ADMITTED
from sublet.guards.attacks.attack import Scene
from sublet.guards.attacks.pods_shapes import Bad, pod
from tests.apiserver.attacker import Attacker
from tests.apiserver.leased import completed, until

BINDINGS = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings"
PLAIN = pod(Bad("plain", "Nothing.", ADMITTED))


@contextlib.contextmanager
def uncompleted(admin: Attacker, alice: Attacker, scene: Scene) -> Iterator[None]:
    """Let nothing complete pods, as on a cluster that does not serve such policies."""
    bindings = [admin.send("GET", f"{BINDINGS}/sublet-{each.name}").body for each in guards.MUTATIONS]
    request = PLAIN.request(scene)
    try:
        for binding in bindings:
            admin.send("DELETE", f"{BINDINGS}/{binding['metadata']['name']}")
        until(lambda: not completed(alice, request), "pods are not completed any more")
        yield
    finally:
        for binding in bindings:
            labels = binding["metadata"]["labels"]
            metadata = {"name": binding["metadata"]["name"], "labels": labels}
            admin.send("POST", BINDINGS, {**binding, "metadata": metadata})
        until(lambda: completed(alice, request), "pods are completed again")
