"""A cluster of its own with two real nodes, on which NetworkPolicies are enforced."""

import os
from collections.abc import Iterator

import pytest

from hack import cluster as clusters
from hack.cluster import binaries, realnodes
from tests.conftest import Tool, installed, kubectl_for
from tests.nodes.conftest import NODES, PROBES


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[clusters.Cluster]:
    """A control plane and real nodes that enforce NetworkPolicies, with the chart installed but for its Deployment."""
    if missing := realnodes.lack(compiled=binaries.compiled_for_nodes()):
        pytest.skip(missing.sentence)
    running = clusters.up(f"packets-{os.getpid()}", nodes=0, real_nodes=NODES, enforce=True)
    with installed(running, request, PROBES):
        yield running


# pytest makes a session's fixture once: those of the same names beside this folder speak to the other cluster.
# A module's goes with the module: a cluster takes a quarter of the inotify instances that Linux gives a user.
@pytest.fixture(scope="module")
def kubectl(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the cluster's administrator."""
    return kubectl_for(cluster)


@pytest.fixture(scope="module")
def alice(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the user alice@acme.example, a tenant."""
    return kubectl_for(cluster, "--context", "alice")


@pytest.fixture(scope="module")
def bob(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the user bob@globex.example, another tenant."""
    return kubectl_for(cluster, "--context", "bob")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was dialled."""
    for report in terminalreporter.getreports("passed"):
        found = dict(report.user_properties)
        if "packets" in found:
            terminalreporter.write_line(
                f"{found['packets']} cells of the network's truth table were dialled, and {found['shut']} are shut"
            )
