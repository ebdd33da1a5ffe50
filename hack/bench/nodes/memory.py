"""What a real node takes of the machine's memory while nothing runs on it."""

from pathlib import Path

from hack.bench.nodes.place import NODES, row
from hack.cluster.realnodes import DAEMONS, plan
from hack.cluster.state import State


def memory_of_nodes(state: State) -> None:
    """Print the memory of each daemon, shared pages in shares (PSS), over all nodes."""
    found = {
        daemon: [_proportional(state.process(f"{plan.name(index)}-{daemon}").pid) for index in range(NODES)]
        for daemon in DAEMONS
    }
    whole = [sum(each[index] for each in found.values()) for index in range(NODES)]
    print(f"\nmemory of an idle node, {NODES} nodes, MiB")
    row("node", whole)
    for daemon, figures in found.items():
        row(f"  of which {daemon}", figures)


def _proportional(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
