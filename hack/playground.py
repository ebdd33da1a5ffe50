"""A cluster with the operator on it that stays, to play with: `python -m hack.playground up|down`."""

import sys

from hack import cluster as clusters
from hack import running

NAME = "sublet"

WELCOME = """
A cluster with 16 GPU nodes and the operator are running. In this shell:

  export KUBECONFIG={kubeconfig} PATH={bin}:$PATH
  kubectl apply -f docs/examples/pool.yaml
  kubectl apply -f docs/examples/lease.yaml
  kubectl get gpupools,gpuleases
  kubectl --context alice create -n lease-acme-training -f docs/examples/pod.yaml

The operator's log is {log}.
`make up` again restarts the operator with your changes; `make down` stops everything.
"""


def main(arguments: list[str]) -> int:
    """Start or stop it."""
    match arguments:
        case ["up"]:
            cluster = clusters.up(NAME, nodes=16)
            running.stop(cluster)
            process = running.start(cluster)
            print(WELCOME.format(kubeconfig=cluster.kubeconfig, bin=cluster.bin, log=process.log))
            return 0
        case ["down"]:
            clusters.down(NAME)
            return 0
        case _:
            print("usage: python -m hack.playground up|down", file=sys.stderr)
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except clusters.ClusterError as error:
        sys.exit(f"playground: {error}")
