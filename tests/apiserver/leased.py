"""Leases for a whole file of tests: an operator makes them and leaves, so that what holds by itself is all there is."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hack import cluster as clusters
from sublet.cluster.client import Client
from sublet.guards.attacks.attack import Manifest, Request, Scene
from sublet.guards.attacks.claims import ALLOWED_CLASS
from sublet.guards.attacks.pods_changes import standing
from sublet.guards.attacks.pods_shapes import Bad, pod
from tests.apiserver.attacker import Attacker, attacker
from tests.apiserver.site import Site

OPERATOR = {"Impersonate-User": "system:serviceaccount:sublet-system:sublet"}
CLUSTER_ADMIN_OBJECTS: tuple[tuple[str, Manifest], ...] = (
    (
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "owner"}, "value": 9},
    ),
    (
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "offered"}, "value": 1},
    ),
    (
        "/apis/storage.k8s.io/v1/storageclasses",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": ALLOWED_CLASS},
            "provisioner": "csi.sublet.test",
        },
    ),
    (
        "/apis/node.k8s.io/v1/runtimeclasses",
        {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "owner"}, "handler": "runc"},
    ),
)
ISOLATION: dict[str, Any] = {
    "registries": ["registry.example", "docker.io/acme/"],
    # The second one by mistake: no list lets it through.
    "priorityClasses": ["offered", "system-cluster-critical"],
    "storageClasses": [ALLOWED_CLASS],
}


def until(look: Callable[[], bool], what: str, within: float = 20) -> None:
    """Look until it is so: policies bite up to a second after they were written."""
    deadline = time.monotonic() + within
    while not look():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.03)


@dataclass(frozen=True)
class Scenes:
    """Two live leases of Alice.

    Attributes:
        baseline: One whose pods are held to the level `baseline`.
        restricted: One whose pods are held to the level `restricted`.
    """

    baseline: Scene
    restricted: Scene


@contextlib.contextmanager
def leases(cluster: clusters.Cluster) -> Iterator[Scenes]:
    """Two leases of two nodes each, whose operator is gone."""
    with contextlib.ExitStack() as stack:
        admin, alice = (stack.enter_context(attacker(cluster, user)) for user in ("admin", "alice"))
        for path, manifest in CLUSTER_ADMIN_OBJECTS:
            admin.send("POST", path, manifest)
        scenes = [
            stack.enter_context(lease(cluster, {**ISOLATION, "podSecurity": {"level": level}}))
            for level in ("baseline", "restricted")
        ]
        for scene in scenes:
            _ready(alice, scene)
        yield Scenes(*scenes)


@contextlib.contextmanager
def lease(cluster: clusters.Cluster, isolation: dict[str, Any]) -> Iterator[Scene]:
    """A lease of two of four nodes, of a pool with this isolation; its operator is gone."""
    prefix, namespace = asyncio.run(_make(cluster, isolation))
    try:
        yield _scene(prefix, namespace)
    finally:
        asyncio.run(_leave(cluster, prefix))


def _scene(prefix: str, namespace: str) -> Scene:
    return Scene(
        lease=f"{prefix}-a",
        namespace=namespace,
        node=f"{prefix}-000",
        foreign_node=f"{prefix}-003",
        foreign_namespace="kube-system",
        gpu_resource="nvidia.com/gpu",
    )


def _ready(alice: Attacker, scene: Scene) -> None:
    """Wait until the policies bite, and put there what attacks by change need."""
    probe = pod(Bad("probe", "", "no-node-name", lambda s: {"nodeName": s.node})).request(scene)
    plain = pod(Bad("probe", "", "")).request(scene)
    until(lambda: alice.try_out(probe).stopped_by == "no-node-name", "the policies bite")
    until(lambda: completed(alice, plain), "pods are completed")
    for manifest in standing(scene):
        answer = alice.send("POST", path_of(manifest, scene), manifest)
        assert not answer.message, answer.message
    running = f"/api/v1/namespaces/{scene.namespace}/pods/standing"
    until(lambda: alice.send("GET", running).body["status"].get("phase") == "Running", "the standing pod runs")


def completed(alice: Attacker, request: Request) -> bool:
    """Whether the API server adds what the pod of a request lacks."""
    return "sublet.dev/lease" in alice.try_out(request).body.get("spec", {}).get("nodeSelector", {})


def path_of(manifest: Manifest, scene: Scene) -> str:
    """Where objects like this one are created."""
    version = manifest["apiVersion"]
    root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
    return f"{root}/namespaces/{scene.namespace}/{manifest['kind'].lower()}s"


async def _site(cluster: clusters.Cluster) -> Site:
    admin = await Client.connect(str(cluster.kubeconfig))
    own = str(cluster.kubeconfig.with_name("operator.kubeconfig"))
    return Site(cluster, admin, own=lambda: Client.connect(own))


async def _make(cluster: clusters.Cluster, isolation: dict[str, Any]) -> tuple[str, str]:
    site = await _site(cluster)
    operator = await site.start_operator()
    await site.pool(nodes=4, isolation=isolation)
    await site.lease("a", nodes=2)
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    await operator.stop()
    await operator.service.world.client.close()
    await site.admin.close()
    return site.prefix, namespace


async def _leave(cluster: clusters.Cluster, prefix: str) -> None:
    site = await _site(cluster)
    site.prefix = prefix
    await site.leave()
    await site.admin.close()
