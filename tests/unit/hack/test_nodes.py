"""The shape of the GPU nodes that kwok plays."""

from hack.cluster import nodes


def labels(index: int) -> dict[str, str]:
    """The labels of one GPU node."""
    found: dict[str, str] = nodes.gpu_node(index)["metadata"]["labels"]
    return found


def test_a_gpu_node_offers_eight_gpus_and_is_marked_for_kwok() -> None:
    """Capacity and allocatable agree: kwok keeps nothing for the system."""
    node = nodes.gpu_node(7)
    assert node["metadata"]["name"] == "gpu-007"
    assert node["metadata"]["annotations"] == {"kwok.x-k8s.io/node": "fake"}
    assert node["status"]["capacity"]["nvidia.com/gpu"] == "8"
    assert node["status"]["capacity"] == node["status"]["allocatable"]


def test_four_nodes_share_a_rack_and_an_nvlink_domain() -> None:
    """Nodes 0 to 3 are neighbours, node 4 is not."""
    for key in ("topology.example.com/rack", "nvidia.com/gpu.clique"):
        assert len({labels(index)[key] for index in range(4)}) == 1
        assert labels(3)[key] != labels(4)[key]


def test_two_prefixes_share_neither_racks_nor_domains() -> None:
    """Two pools made by two calls are two places."""
    other = nodes.gpu_node(0, "b200")["metadata"]["labels"]
    assert other["topology.example.com/rack"] != labels(0)["topology.example.com/rack"]
    assert other["nvidia.com/gpu.clique"] != labels(0)["nvidia.com/gpu.clique"]


def test_two_thousand_nodes_have_names_and_addresses_of_their_own() -> None:
    """The most that one prefix may have."""
    made = [nodes.gpu_node(index) for index in range(nodes.LIMIT)]
    assert len({node["metadata"]["name"] for node in made}) == nodes.LIMIT
    assert len({node["status"]["addresses"][0]["address"] for node in made}) == nodes.LIMIT


def test_the_cpu_node_has_no_gpu() -> None:
    """Pods that ask for none have somewhere to go, pods that ask for one do not go there."""
    assert "nvidia.com/gpu" not in nodes.cpu_node()["status"]["capacity"]
