"""What real nodes are called, which addresses they have, and what is said where there can be none."""

import hashlib
import json
import shutil
import subprocess
from ipaddress import IPv4Network, ip_network
from itertools import combinations
from pathlib import Path

import pytest

from hack.cluster.errors import ClusterError
from hack.cluster.realnodes import config, images, plan, requirements
from hack.cluster.state import State

BLOCKS = (ip_network("10.128.0.0/20"), ip_network("fd53:1234:5678::/48"))
HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
DEFAULT = "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
# 10.128.16.0/20 and 10.128.0.0/24, as the kernel writes them: the lowest byte first.
TAKEN = "a\t0010800A\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0\n"
ALSO = "b\t0000800A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"


def test_a_range_is_chosen_that_no_route_leads_to() -> None:
    """A default route takes none."""
    assert plan.free_block(HEADER + DEFAULT, 0) == IPv4Network("10.128.0.0/20")
    assert plan.free_block(HEADER + DEFAULT + TAKEN + ALSO, 0) == IPv4Network("10.128.32.0/20")


def test_without_a_free_range_there_are_no_nodes() -> None:
    """As on a machine with a route to all of 10.0.0.0/8."""
    with pytest.raises(ClusterError, match="free on this machine"):
        plan.free_block(HEADER + "a\t0000000A\t0\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n", 0)


def test_nodes_share_no_address_and_the_kernel_takes_every_name(tmp_path: Path) -> None:
    """Of as many nodes as there can be."""
    nodes = plan.Plan(State("one", tmp_path), BLOCKS, plan.LIMIT).nodes
    networks = [network for node in nodes for network in node.pods]
    addresses = [address for node in nodes for address in node.addresses]
    assert all(not one.overlaps(other) for one, other in combinations(networks, 2) if one.version == other.version)
    assert len(set(addresses)) == len(set(networks)) == plan.LIMIT * len(BLOCKS)
    assert not any(address in network for address in addresses for network in networks)
    assert max(len(node.veth) for node in nodes) <= 15


def test_clusters_of_one_name_in_two_checkouts_are_two(tmp_path: Path) -> None:
    """Else taking one down would take the other's nodes."""
    one, other = State("same", tmp_path / "one"), State("same", tmp_path / "other")
    assert plan.cgroup(one) != plan.cgroup(other)
    assert plan.bridge(one) != plan.bridge(other)


@pytest.mark.parametrize("count", [-1, 0, 16])
def test_so_many_nodes_there_cannot_be(tmp_path: Path, count: int) -> None:
    """The error says how many there can."""
    with pytest.raises(ClusterError, match="1 to 15"):
        plan.make(State("one", tmp_path), count)


def test_a_kubelet_lets_in_nobody_unknown(tmp_path: Path) -> None:
    """The default would let anybody in."""
    one = plan.Plan(State("one", tmp_path), BLOCKS, 1)
    given = config.kubelet(one, one.nodes[0])
    assert given["authentication"]["anonymous"] == {"enabled": False}
    assert given["authorization"]["mode"] == "Webhook"


def test_an_image_is_found_by_what_it_holds(tmp_path: Path) -> None:
    """Each blob lies under its digest, and the layer holds the program."""
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF and so on")
    images.add(tmp_path / "layout", "tool", images.of_binaries(program))
    images.add(tmp_path / "layout", "tool", images.of_binaries(program), tag="2")
    for blob in (tmp_path / "layout/blobs/sha256").iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    found = json.loads((tmp_path / "layout/index.json").read_text())["manifests"]
    assert [each["annotations"] for each in found] == [{images.NAME: "tool:1"}, {images.NAME: "tool:2"}]


def test_where_there_can_be_no_real_nodes_a_sentence_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system first, then root, then packages, which alone can be helped, then what a container may not do."""
    monkeypatch.setattr("shutil.which", lambda name: None if name == "nft" else f"/usr/bin/{name}")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("sys.platform", "linux")
    found = requirements.lack(compiled=True)
    assert found is not None
    assert (found.packages, "nftables" in found.sentence) == (("nftables",), True)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    assert (found := requirements.lack(compiled=True)) is not None
    assert ("namespaces" in found.sentence, found.packages) == (True, ())
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert (found := requirements.lack(compiled=True)) is not None
    assert ("root" in found.sentence, found.packages) == (True, ())
    monkeypatch.setattr("sys.platform", "darwin")
    assert (found := requirements.lack(compiled=True)) is not None
    assert "Linux" in found.sentence


def test_a_compiler_is_asked_for_until_everything_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that CI restored needs none."""
    compilers = {"gcc", "pkg-config"}
    monkeypatch.setattr(shutil, "which", lambda name: None if name in compilers else f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", pytest.fail)
    assert requirements.packages(compiled=True) == ()
    assert requirements.packages(compiled=False) == ("gcc", "libseccomp-dev", "pkg-config")
