"""Which kind of cluster `up` makes, where nobody said so: kind where Docker is, else our own control plane.

A cluster of your own is used only where you ask for it (`--provider kubeconfig`, `--use-kubeconfig` or
SUBLET_CLUSTER=kubeconfig). A KUBECONFIG that happens to be in the shell is not asking: the tests create and
delete nodes and namespaces, and it may well point at production.
"""

from collections.abc import Callable, Mapping

from hack.cluster.errors import ClusterError

PROVIDERS = ("embedded", "kind", "kubeconfig")
VARIABLE = "SUBLET_CLUSTER"


def choose(asked: str, environment: Mapping[str, str], *, kind_works: Callable[[], bool]) -> str:
    """The provider for what was asked for: by argument first, then by environment, then by what is there."""
    wanted = asked if asked != "auto" else environment.get(VARIABLE) or "auto"
    if wanted in PROVIDERS:
        return wanted
    if wanted != "auto":
        raise ClusterError(f"{VARIABLE}={wanted}: expected auto, {', '.join(PROVIDERS)}.")
    return "kind" if kind_works() else "embedded"


def warning(chosen: str, environment: Mapping[str, str]) -> str:
    """What to say to somebody who may have expected KUBECONFIG to be used."""
    if chosen == "kubeconfig" or not environment.get("KUBECONFIG"):
        return ""
    return f"KUBECONFIG is set and not used; --provider kubeconfig or {VARIABLE}=kubeconfig would use it"
