"""Bringing a cluster up: what is there already, what is left of an earlier one, and who provides it."""

import os
import shutil
from collections.abc import Callable

from hack.cluster import borrowed, embedded, progress
from hack.cluster import provider as providers
from hack.cluster.handle import Cluster, attach, stop
from hack.cluster.state import State

DEFAULT_NAME = "dev"
DEFAULT_NODES = 16

Say = Callable[[str], None]


def up(
    name: str = DEFAULT_NAME,
    *,
    nodes: int | None = None,
    provider: str = embedded.PROVIDER,
    audit: bool = False,
    say: Say = progress.to_stderr,
) -> Cluster:
    """Start the cluster `name`, or make sure that it runs and has at least `nodes` GPU nodes."""
    state = State(name)
    with state.lock():
        facts = state.facts()
        if facts and _answers(state):
            say(f"{name} is running already ({facts['provider']})")
            cluster = attach(name)
            if nodes is not None:
                cluster.create_nodes(nodes, shrink=False)
            return cluster
        if state.folder.exists():
            say(f"clearing what is left of {name}")
            stop(state)
        _start(state, provider, nodes=nodes, audit=audit, say=say)
        return attach(name)


def _start(state: State, asked: str, *, nodes: int | None, audit: bool, say: Say) -> None:
    chosen = providers.choose(asked, os.environ, kind_works=_kind_works)
    if hint := providers.warning(chosen, os.environ):
        say(hint)
    count = DEFAULT_NODES if nodes is None else nodes
    if chosen == "kind":
        borrowed.start_kind(state, count=count, say=say)
    elif chosen == "kubeconfig":
        borrowed.use_kubeconfig(state, say=say)
        if nodes is not None:
            borrowed.create_nodes(state, nodes, "gpu")
    else:
        embedded.start(state, count=count, audit=audit, say=say)


def _answers(state: State) -> bool:
    if state.facts()["provider"] == embedded.PROVIDER:
        return embedded.is_healthy(state)
    return borrowed.reachable(state)


def _kind_works() -> bool:
    return shutil.which("kind") is not None and borrowed.docker_answers()
