"""ClusterNetworkPolicies on a cluster of the tests: upstream's own definition of the kind, for a while."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.apiserver.by_hand import soon
from tests.apiserver.objects import Kubectl

_DEFINITION = Path(__file__).parent / "vendor" / "policy.networking.k8s.io_clusternetworkpolicies.yaml"
_PATH = "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies"


def install(kubectl: Kubectl) -> None:
    """Return once the API server serves the kind."""
    kubectl("create", "-f", str(_DEFINITION))
    soon(lambda: _is_served(kubectl), "ClusterNetworkPolicies are served")


def remove(kubectl: Kubectl) -> None:
    """Return once the API server serves the kind no longer; all policies go with it."""
    kubectl("delete", "-f", str(_DEFINITION))
    soon(lambda: not _is_served(kubectl), "ClusterNetworkPolicies are served no longer")


@contextlib.contextmanager
def cluster_policies(kubectl: Kubectl) -> Iterator[None]:
    """An API server that serves the kind."""
    install(kubectl)
    try:
        yield
    finally:
        remove(kubectl)


def _is_served(kubectl: Kubectl) -> bool:
    return kubectl("get", "--raw", _PATH, check=False).returncode == 0
