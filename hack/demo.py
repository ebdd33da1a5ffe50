"""The demo: the whole life of a lease, on a real control plane of this machine's own, told as it happens.

    python -m hack.demo

Everything that is shown is what kubectl says; nothing is printed that was not seen.
"""

import json
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

from hack import cluster as clusters
from hack import running

EXAMPLES = Path(__file__).parent.parent / "docs/examples"
LEASE = "acme-training"
NAMESPACE = f"lease-{LEASE}"


@dataclass(frozen=True)
class Stage:
    """Where the demo plays: a cluster, and kubectl as one of its users."""

    cluster: clusters.Cluster

    def kubectl(self, *words: str, user: str = "admin", ok: bool = True) -> str:
        """What kubectl answers to a user; with ok=False, the refusal that is expected."""
        kubectl, kubeconfig = self.cluster.bin / "kubectl", self.cluster.kubeconfig
        command: list[str | Path] = [kubectl, "--kubeconfig", kubeconfig, "--context", user, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if (done.returncode == 0) is not ok:
            raise clusters.ClusterError(f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}")
        return (done.stdout if ok else done.stderr).strip()

    def show(self, *words: str, user: str = "admin", ok: bool = True) -> None:
        """Run kubectl in front of the audience."""
        prompt = "$ kubectl" if user == "admin" else f"{user}$ kubectl"
        print(f"  {prompt} {' '.join(words)}")
        answer = self.kubectl(*words, user=user, ok=ok)
        print(textwrap.indent(answer or "(nothing)", "    "), end="\n\n", flush=True)

    def status(self) -> dict[str, str]:
        """The status of the lease."""
        status: dict[str, str] = json.loads(self.kubectl("get", "gpulease", LEASE, "-o", "json")).get("status", {})
        return status

    def wait(self, phase: str, seconds: float = 60) -> float:
        """Wait until the lease is in a phase; returns how long it took."""
        began = time.monotonic()
        while self.status().get("phase") != phase:
            if time.monotonic() > began + seconds:
                raise clusters.ClusterError(f"the lease is not {phase} after {seconds:.0f} s: {self.status()}")
            time.sleep(0.05)
        return time.monotonic() - began


def tell(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def main() -> int:
    """Play the demo on a cluster of its own, and take the cluster away whatever happens."""
    cluster = clusters.up("demo", nodes=16)
    try:
        tell("1. The chart is installed by Helm, and the operator runs as its ServiceAccount")
        running.start(cluster)
        play(Stage(cluster))
    except clusters.ClusterError as error:
        print(f"\ndemo: {error}\n{cluster.state.process('operator').log_tail()}", file=sys.stderr)
        return 1
    finally:
        cluster.down()
    print("The cluster is gone too. `make up` starts one that stays.")
    return 0


def play(stage: Stage) -> None:
    """The acts, in order."""
    stage.show("get", "deployments,serviceaccounts", "-n", "sublet-system")
    tell("2. The owner describes surplus capacity: 16 nodes of 8 GPUs, of which 2 are never for sale")
    stage.show("apply", "-f", str(EXAMPLES.relative_to(Path.cwd()) / "pool.yaml"))

    tell("3. Acme rents 4 nodes for two minutes")
    stage.show("apply", "-f", str(EXAMPLES.relative_to(Path.cwd()) / "lease.yaml"))
    print(f"  Active {stage.wait('Active'):.2f} s after kubectl came back.\n")
    stage.show("get", "gpupools,gpuleases")
    stage.show("get", "namespaces", "-l", f"sublet.dev/lease={LEASE}", "-L", "pod-security.kubernetes.io/enforce")
    stage.show("get", "resourcequota,limitrange,networkpolicy,rolebinding", "-n", NAMESPACE, "-o", "name")
    stage.show("get", "nodes", "-l", f"sublet.dev/lease={LEASE}", "-L", "sublet.dev/lease,nvidia.com/gpu.clique")

    tell("4. Alice of Acme works on her nodes")
    pod = str(EXAMPLES.relative_to(Path.cwd()) / "pod.yaml")
    stage.show("create", "-n", NAMESPACE, "-f", pod, user="alice")
    stage.kubectl("wait", "-n", NAMESPACE, "--for=jsonpath={.status.phase}=Running", "pod/train", "--timeout=30s")
    stage.show("get", "pods", "-n", NAMESPACE, "-o", "wide", user="alice")
    stage.show("get", "configmap", "sublet-lease", "-n", NAMESPACE, "-o", "jsonpath={.data}", user="alice")

    tell("5. What Alice may not do is refused by the API server")
    stage.show("delete", "networkpolicy", "--all", "-n", NAMESPACE, user="alice", ok=False)
    stage.show("get", "pods", "-n", "kube-system", user="alice", ok=False)
    stage.show("get", "pods", "-n", NAMESPACE, user="bob", ok=False)

    tell("6. The lease is shortened: its time is up")
    began = time.monotonic()
    stage.show("patch", "gpulease", LEASE, "--type=merge", "-p", '{"spec":{"duration":"1s"}}')
    stage.wait("Releasing")
    stage.show("get", "pods", "-n", NAMESPACE, user="alice", ok=False)
    stage.wait("Ended")
    print(f"  Everything is given back {time.monotonic() - began:.1f} s after the lease was shortened.\n")

    tell("7. Nothing is left but the ledger")
    stage.show("get", "namespaces", "-l", f"sublet.dev/lease={LEASE}")
    stage.show("get", "nodes", "-l", f"sublet.dev/lease={LEASE}")
    stage.show("get", "gpupools,gpuleases,leaserecords")
    record = json.loads(stage.kubectl("get", "leaserecords", "-o", "json"))["items"][0]["spec"]["rows"][0]
    print(f"  On the bill: {record['gpuSeconds']} GPU-seconds, {record['amount']} {record['currency']}.\n")


if __name__ == "__main__":
    sys.exit(main())
