"""Bringing a cluster up: what is there already, what is left of an earlier one, and who provides it."""

import os
import shutil
from collections.abc import Callable

from hack.cluster import binaries, borrowed, embedded, progress, realnodes
from hack.cluster import provider as providers
from hack.cluster.errors import ClusterError
from hack.cluster.handle import Cluster, attach, stop
from hack.cluster.state import State

DEFAULT_NAME = "dev"
DEFAULT_NODES = 16

Say = Callable[[str], None]


def up(
    name: str = DEFAULT_NAME,
    *,
    nodes: int | None = None,
    real_nodes: int = 0,
    enforce: bool = False,
    provider: str = embedded.PROVIDER,
    audit: bool = False,
    say: Say = progress.to_stderr,
) -> Cluster:
    """Start the cluster `name`, or make sure that it runs and has at least `nodes` GPU nodes.

    `real_nodes` have a kubelet and run containers (embedded only). Where this machine cannot run any, kwok plays them.
    `enforce` has NetworkPolicies enforced on them.
    """
    if enforce and not real_nodes:
        raise ClusterError("NetworkPolicies are enforced on real nodes alone: say how many (`--real-nodes N`).")
    state = State(name)
    with state.lock():
        facts = state.facts()
        if facts and _answers(state):
            say(f"{name} is running already ({facts['provider']})")
            cluster = attach(name)
            if nodes is not None:
                cluster.create_nodes(nodes, shrink=False)
            if enforce and facts.get("real_nodes") and not facts.get("enforce"):
                raise ClusterError(f"{name} runs and enforces no NetworkPolicies: `down` it first.")
            if real_nodes > len(facts.get("real_nodes", ())):
                if _can_run_nodes(say):
                    raise ClusterError(f"{name} runs with fewer real nodes than {real_nodes}: `down` it first.")
                cluster.create_nodes(real_nodes, realnodes.PREFIX, shrink=False)
            return cluster
        if state.folder.exists():
            say(f"clearing what is left of {name}")
            stop(state)
        _start(state, provider, nodes=nodes, real=real_nodes, enforce=enforce, audit=audit, say=say)
        return attach(name)


def _start(state: State, asked: str, *, nodes: int | None, real: int, enforce: bool, audit: bool, say: Say) -> None:
    chosen = providers.choose(asked, os.environ, kind_works=_kind_works)
    if hint := providers.warning(chosen, os.environ):
        say(hint)
    if real and chosen != embedded.PROVIDER:
        raise ClusterError(f"Real nodes are made by `--provider embedded`, not by {chosen}.")
    count = DEFAULT_NODES if nodes is None else nodes
    if chosen == "kind":
        borrowed.start_kind(state, count=count, say=say)
    elif chosen == "kubeconfig":
        borrowed.use_kubeconfig(state, say=say)
        if nodes is not None:
            borrowed.create_nodes(state, nodes, "gpu")
    else:
        played = real if real and not _can_run_nodes(say) else 0
        embedded.start(state, count=count, real=real - played, enforce=enforce and not played, audit=audit, say=say)
        if played:
            attach(state.name).create_nodes(played, realnodes.PREFIX)


def _answers(state: State) -> bool:
    if state.facts()["provider"] == embedded.PROVIDER:
        return embedded.is_healthy(state)
    return borrowed.reachable(state)


def _kind_works() -> bool:
    return shutil.which("kind") is not None and borrowed.docker_answers()


def _can_run_nodes(say: Say) -> bool:
    """Whether this machine can run real nodes; if it could once some packages are installed, that is an error."""
    missing = realnodes.lack(compiled=binaries.compiled_for_nodes())
    if missing and missing.packages:
        raise ClusterError(missing.sentence)
    if missing:
        say(f"{missing.sentence} kwok plays them.")
    return missing is None
