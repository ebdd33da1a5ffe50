"""What passes see of the stores, and how often it is made."""

from typing import Any
from unittest.mock import Mock

from sublet.api.pool import GPUPool
from sublet.cluster.client import Client
from sublet.cluster.observe import pool_nodes
from sublet.cluster.world import Listeners, World

Raw = dict[str, Any]


def a_world() -> World:
    """A world of which nobody wants news."""
    nothing = Mock()
    return World(Mock(spec=Client), Listeners(*(nothing,) * 7))


def node(name: str, *, version: int = 1, sold: str = "true") -> Raw:
    """A node as the API server sends it."""
    return {
        "metadata": {"name": name, "uid": name, "resourceVersion": str(version), "labels": {"for-sale": sold}},
        "status": {"allocatable": {"nvidia.com/gpu": "8"}, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def pool(name: str, *, created: str, version: int = 1, sold: str = "true") -> Raw:
    """A pool as the API server sends it."""
    metadata = {"name": name, "uid": name, "resourceVersion": str(version), "creationTimestamp": created}
    return {"metadata": metadata, "spec": {"nodeSelector": {"matchLabels": {"for-sale": sold}}}}


def names(world: World, name: str) -> list[str]:
    """The nodes of a pool."""
    raw = world.pools.get(name)
    assert raw is not None
    return [seen.name for seen in pool_nodes(world, world.pools.parsed(raw, GPUPool.model_validate))]


def test_the_nodes_of_a_pool_follow_every_change_of_a_node() -> None:
    world = a_world()
    world.pools.put(pool("old", created="2026-01-01T00:00:00Z"))
    world.nodes.put(node("b"))
    assert names(world, "old") == ["b"]
    world.nodes.put(node("a"))
    assert names(world, "old") == ["a", "b"]
    world.nodes.put(node("b", version=2, sold="false"))
    assert names(world, "old") == ["a"]
    world.nodes.drop(node("a"))
    assert names(world, "old") == []


def test_the_nodes_of_a_pool_follow_every_change_of_a_pool() -> None:
    """A node that two pools select is the older one's, until that selects it no more."""
    world = a_world()
    world.nodes.put(node("a"))
    world.pools.put(pool("young", created="2026-02-01T00:00:00Z"))
    assert names(world, "young") == ["a"]
    world.pools.put(pool("old", created="2026-01-01T00:00:00Z"))
    assert (names(world, "old"), names(world, "young")) == (["a"], [])
    world.pools.put(pool("old", created="2026-01-01T00:00:00Z", version=2, sold="later"))
    assert (names(world, "old"), names(world, "young")) == ([], ["a"])


def test_the_nodes_of_a_pool_are_picked_once_for_all_who_ask() -> None:
    """Hundreds of leases that wait look at the same two thousand nodes at once."""
    world = a_world()
    world.nodes.put(node("a"))
    world.pools.put(pool("old", created="2026-01-01T00:00:00Z"))
    raw = world.pools.get("old")
    assert raw is not None
    seen = world.pools.parsed(raw, GPUPool.model_validate)
    assert pool_nodes(world, seen) is pool_nodes(world, seen)
