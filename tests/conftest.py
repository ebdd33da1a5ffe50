"""What all tests share: one real cluster for the session, with the chart on it, and the tools to talk to it."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from hack import cluster as clusters
from hack.cluster import binaries
from hack.install import install

ROOT = Path(__file__).parent.parent

Tool = Callable[..., subprocess.CompletedProcess[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the project's own options."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden manifests")
    parser.addoption("--keep-cluster", action="store_true", help="leave the cluster of the tests running")


def tool(binary: Path, *fixed: str) -> Tool:
    def run(*args: str, input: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:  # noqa: A002
        done = subprocess.run([binary, *fixed, *args], input=input, capture_output=True, text=True, check=False)
        if check:
            assert done.returncode == 0, f"{binary.name} {' '.join(args)}: {done.stderr}{done.stdout}"
        return done

    return run


def kubectl_for(cluster: clusters.Cluster, *fixed: str) -> Tool:
    """Kubectl on a cluster, as its administrator unless a context is among the fixed arguments."""
    return tool(cluster.bin / "kubectl", "--kubeconfig", str(cluster.kubeconfig), *fixed)


@contextmanager
def installed(
    running: clusters.Cluster, request: pytest.FixtureRequest, values: Mapping[str, object] | None = None
) -> Iterator[clusters.Cluster]:
    """A cluster with the chart, but for its Deployment; it goes unless it is to be kept."""
    try:
        install(running.kubeconfig, running.bin, values={"sanitize": {"images": ["images.test"]}, **(values or {})})
        yield running
    finally:
        if not request.config.getoption("--keep-cluster"):
            running.down()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[clusters.Cluster]:
    """A real control plane of this session's own, with the chart installed but for its Deployment."""
    with installed(clusters.up(f"test-{os.getpid()}", nodes=0, audit=True), request) as running:
        yield running


@pytest.fixture(scope="session")
def kubectl(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the cluster's administrator: `kubectl("get", "nodes").stdout`."""
    return kubectl_for(cluster)


@pytest.fixture(scope="session")
def alice(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the user alice@acme.example, a tenant."""
    return kubectl_for(cluster, "--context", "alice")


@pytest.fixture(scope="session")
def helm() -> Tool:
    """Run Helm, without a cluster."""
    return tool(binaries.resolve(print, ["helm"])["helm"])
