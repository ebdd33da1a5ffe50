"""Manifests that Kubernetes ships run in a lease as they are, or are refused for a reason that is meant.

They are read from the sources of the very Kubernetes that the tests run, as Go keeps them: nobody here has changed one.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack import cluster as clusters
from hack.cluster import binaries, golang
from sublet.guards.attacks.attack import Scene
from tests.apiserver.leased import lease, until
from tests.apiserver.objects import Kubectl

Raw = dict[str, Any]

GUIDE = "test/fixtures/doc-yaml/user-guide"
ADMIN = "test/fixtures/doc-yaml/admin"
KUBECTL = "test/fixtures/pkg/kubectl/cmd"
E2E = "test/e2e/testing-manifests"

RUN: dict[str, dict[str, int]] = {
    f"{GUIDE}/pod.yaml": {"nginx": 1},
    f"{GUIDE}/deployment.yaml": {"nginx-deployment": 3},
    f"{GUIDE}/job.yaml": {"pi": 1},
    f"{GUIDE}/multi-pod.yaml": {"redis-master": 1, "valid-pod": 1},
    f"{GUIDE}/configmap/configmap.yaml": {},
    f"{GUIDE}/secrets/secret.yaml": {},
    f"{GUIDE}/secrets/secret-env-pod.yaml": {"secret-env-pod": 1},
    f"{ADMIN}/limitrange/valid-pod.yaml": {"valid-pod": 1},
    f"{KUBECTL}/apply/deploy-clientside.yaml": {"nginx-deployment": 1},
    f"{KUBECTL}/apply/service.yaml": {},
    f"{KUBECTL}/patch/validPod.yaml": {"name": 1},
    f"{E2E}/guestbook/frontend-service.yaml": {},
    f"{E2E}/kubectl/agnhost-primary-pod.yaml": {"agnhost-primary": 1},
    f"{E2E}/serviceloadbalancer/nginxsvc.yaml": {},
    f"{E2E}/statefulset/cassandra/service.yaml": {},
    f"{E2E}/statefulset/etcd/service.yaml": {},
    f"{E2E}/statefulset/zookeeper/service.yaml": {},
}
"""Files, and how many pods of which name run when a file is created."""

NO_CLAIMS = "this lease has no volume claims; use emptyDir"
REFUSED = {
    f"{ADMIN}/daemon.yaml": 'cannot create resource "daemonsets"',
    f"{GUIDE}/replication.yaml": 'cannot create resource "replicationcontrollers"',
    f"{GUIDE}/replicaset/redis-slave.yaml": 'cannot create resource "replicasets"',
    f"{GUIDE}/persistent-volumes/claims/claim-01.yaml": f"claim-class: {NO_CLAIMS}",
    f"{GUIDE}/persistent-volumes/volumes/nfs.yaml": 'cannot create resource "persistentvolumes"',
    f"{E2E}/statefulset/cassandra/tester.yaml": "service-type: ",
    f"{E2E}/statefulset/cassandra/pdb.yaml": 'cannot create resource "poddisruptionbudgets"',
    f"{E2E}/statefulset/cassandra/statefulset.yaml": f"allowed-storage-class: {NO_CLAIMS}",
    f"{E2E}/statefulset/etcd/statefulset.yaml": f"allowed-storage-class: {NO_CLAIMS}",
}
"""Files that a lease does not take, and how the refusal begins."""


@pytest.fixture(scope="module")
def sources() -> Path:
    """The sources of Kubernetes, of the version that the cluster is compiled from."""
    command = [str(golang.find(binaries.cache(), print)), "mod", "download", "-json", "k8s.io/kubernetes"]
    folder, environment = golang.MODULES / "kubernetes", golang.environment()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    answer: dict[str, str] = json.loads(done.stdout or "{}")
    if "Dir" not in answer:
        pytest.skip(f"Go cannot have the sources of Kubernetes here: {answer.get('Error') or done.stderr}")
    return Path(answer["Dir"])


@pytest.fixture(scope="module")
def scene(cluster: clusters.Cluster) -> Iterator[Scene]:
    """A lease whose pool trusts every registry."""
    with lease(cluster, {}) as one:
        yield one


def pods(alice: Kubectl, scene: Scene) -> list[Raw]:
    """All pods of the lease."""
    items: list[Raw] = json.loads(alice("get", "pods", "--namespace", scene.namespace, "-o", "json").stdout)["items"]
    return items


def ran(found: list[Raw], scene: Scene) -> Counter[str]:
    """How many of the pods run, or have run, on the lease's nodes, by what they are named after."""
    own = {scene.node, scene.node.replace("-000", "-001")}
    return Counter(
        pod["metadata"].get("ownerReferences", [pod["metadata"]])[0]["name"]
        for pod in found
        if pod["status"].get("phase") in {"Running", "Succeeded"} and pod["spec"]["nodeName"] in own
    )


@pytest.mark.parametrize(("file", "expected"), RUN.items(), ids=RUN)
def test_an_upstream_manifest_runs_unchanged(
    alice: Kubectl, scene: Scene, sources: Path, file: str, expected: dict[str, int]
) -> None:
    """It is admitted, and its pods run on the lease's nodes."""
    objects = ("--namespace", scene.namespace, "--filename", str(sources / file))

    def as_expected() -> bool:
        found = ran(pods(alice, scene), scene)
        return {name: sum(found[made] for made in found if made.startswith(name)) for name in expected} == expected

    alice("create", *objects)
    until(as_expected, f"what runs of {file} is {expected}")
    alice("delete", *objects)
    until(lambda: not pods(alice, scene), f"nothing of {file} is left")


@pytest.mark.parametrize(("file", "reason"), REFUSED.items(), ids=REFUSED)
def test_an_upstream_manifest_is_refused_for_a_reason(
    alice: Kubectl, scene: Scene, sources: Path, file: str, reason: str
) -> None:
    """What it asks for is not for tenants."""
    objects = ("--namespace", scene.namespace, "--filename", str(sources / file))
    done = alice("create", "--dry-run=server", *objects, check=False)
    assert done.returncode == 1
    assert reason in done.stderr
