"""The agents that enforce NetworkPolicies on real nodes: who they are and how they are started."""

import sys
from pathlib import Path

from hack.cluster.realnodes import rbac
from hack.cluster.state import ROOT, State

NAME = "policies"
USER = "sublet-test-policies"
RULES = (rbac.reads("", "pods", "namespaces"), rbac.reads("networking.k8s.io", "networkpolicies"))
START = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from hack.cluster.policies import agent
agent.main(*sys.argv[1:])
"""


def argv(state: State, node: str, ready: Path) -> tuple[str, ...]:
    """The command line of a node's agent, which makes the file `ready` once its first table is in force."""
    kubeconfig = state.folder / "pki" / f"{NAME}.kubeconfig"
    return (sys.executable, "-I", "-c", START, node, str(kubeconfig), str(ready))
