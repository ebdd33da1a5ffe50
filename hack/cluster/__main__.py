"""`python -m hack.cluster COMMAND`, from the root of the repository."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

import hack.cluster
from hack.cluster import ClusterError, binaries, borrowed, embedded, progress, realnodes
from hack.cluster.lifecycle import DEFAULT_NAME, DEFAULT_NODES
from hack.cluster.provider import PROVIDERS
from hack.cluster.state import State, names


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; an error that a person can act on is printed without a traceback."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hack.cluster", description=hack.cluster.__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    name = argparse.ArgumentParser(add_help=False)
    name.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: %(default)s)")

    up = commands.add_parser("up", parents=[name], help="start a cluster, or make sure that it runs")
    up.add_argument("--nodes", type=int, help=f"GPU nodes (default: {DEFAULT_NODES})")
    up.add_argument(
        "--real-nodes", type=int, default=0, metavar="N", help="nodes that run containers, besides those (root)"
    )
    up.add_argument("--enforce", action="store_true", help="enforce NetworkPolicies on real nodes (a test fixture)")
    up.add_argument("--provider", choices=("auto", *PROVIDERS), default="auto")
    up.add_argument("--use-kubeconfig", dest="provider", action="store_const", const="kubeconfig")
    up.add_argument("--audit", action="store_true", help="write logs/audit.jsonl: who asked for what")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", parents=[name], help="stop it and remove its state")
    down.add_argument("--keep-logs", action="store_true")
    down.add_argument("--all", action="store_true", help="every cluster of this checkout")
    down.set_defaults(run=_down)

    status = commands.add_parser("status", parents=[name], help="show each component; exit 1 unless all are healthy")
    status.set_defaults(run=_status)

    nodes = commands.add_parser("nodes", parents=[name], help="create or delete GPU nodes")
    nodes.add_argument("--count", type=int, required=True, help="how many there are to be")
    nodes.add_argument("--prefix", default="gpu", help="of which name (default: %(default)s)")
    nodes.set_defaults(run=_nodes)

    kubeconfig = commands.add_parser("kubeconfig", parents=[name], help="print the path of its kubeconfig")
    kubeconfig.set_defaults(run=_kubeconfig)

    logs = commands.add_parser("logs", parents=[name], help="show a component's log")
    logs.add_argument("component", nargs="?", default="kube-apiserver")
    logs.add_argument("--follow", "-f", action="store_true")
    logs.set_defaults(run=_logs)

    build = commands.add_parser("build", help="compile what is not compiled yet, start nothing")
    build.add_argument("--real-nodes", action="store_true", help="also what real nodes run, if there can be any")
    build.set_defaults(run=_build)

    packages = commands.add_parser("packages", help="print the Debian packages that real nodes lack on this machine")
    packages.set_defaults(run=_packages)
    return parser


def _up(arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    cluster = hack.cluster.up(
        arguments.name,
        nodes=arguments.nodes,
        real_nodes=arguments.real_nodes,
        enforce=arguments.enforce,
        provider=arguments.provider,
        audit=arguments.audit,
        say=progress.to_stderr,
    )
    progress.to_stderr(f"{cluster.name} is up after {time.monotonic() - began:.1f} s, contexts admin, alice and bob:")
    print(f"export KUBECONFIG={cluster.kubeconfig}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    for name in names() if arguments.all else [arguments.name]:
        hack.cluster.down(name, keep_logs=arguments.keep_logs)
        progress.to_stderr(f"{name} is down")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    cluster = hack.cluster.attach(arguments.name)
    if cluster.provider != embedded.PROVIDER:
        answers = borrowed.reachable(cluster.state)
        print(f"{cluster.provider} {cluster.server} {'answers' if answers else 'does not answer'}")
        return 0 if answers else 1
    lines = embedded.health(cluster.state)
    print(f"{'COMPONENT':<25} {'PID':>8}  {'STATE':<10} {'PORT':>5}")
    for line in lines:
        print(f"{line.component:<25} {line.pid or '-':>8}  {line.state:<10} {line.port or '-':>5}")
    return 0 if all(line.state == "healthy" for line in lines) else 1


def _nodes(arguments: argparse.Namespace) -> int:
    hack.cluster.attach(arguments.name).create_nodes(arguments.count, arguments.prefix)
    progress.to_stderr(f"{arguments.count} nodes {arguments.prefix}-* are ready")
    return 0


def _kubeconfig(arguments: argparse.Namespace) -> int:
    print(hack.cluster.attach(arguments.name).kubeconfig)
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    process = State(arguments.name).process(arguments.component)
    if not process.log.exists():
        known = ", ".join(sorted(path.stem for path in process.log.parent.glob("*.log"))) or "none"
        raise ClusterError(f"No log of {arguments.component!r} in {process.log.parent}; there are: {known}.")
    if arguments.follow:
        os.execvp("tail", ["tail", "-n", "50", "-F", str(process.log)])  # noqa: S606 - no shell is meant
    print(process.log_tail(lines=200))
    return 0


def _build(arguments: argparse.Namespace) -> int:
    found = binaries.resolve(progress.to_stderr)
    found |= binaries.resolve(progress.to_stderr, ["flows"], binaries.TEST_MODULES)
    if arguments.real_nodes:
        if missing := realnodes.lack(compiled=binaries.compiled_for_nodes()):
            progress.to_stderr(missing.sentence)
        else:
            found |= binaries.resolve_for_nodes(progress.to_stderr)
    for name, path in found.items():
        print(f"{name:<25} {path}")
    return 0


def _packages(_: argparse.Namespace) -> int:
    print(*realnodes.packages(compiled=binaries.compiled_for_nodes()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
