"""What a stolen token of the operator can make of its rights to nodes, pools, leases and Jobs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster.nodes import gpu_node
from sublet.api.pool import GPUPool
from sublet.desired.sanitizing import job
from tests.apiserver.by_hand import soon
from tests.apiserver.cleaning import ALLOWED
from tests.apiserver.objects import LEASE, POOL, changed
from tests.conftest import Tool

Raw = dict[str, Any]

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "sanitize.yaml"
# Every right, so that what is refused is refused by a policy.
OPERATOR = ("--as", "system:serviceaccount:sublet-system:sublet", "--as-group", "system:masters")
TARGETS = {
    "node/marks-000": gpu_node(0, "marks"),
    "gpupool/marks": changed(POOL, {"metadata.name": "marks"}),
    "gpulease/marks": changed(LEASE, {"metadata.name": "marks", "spec.pool": "marks"}),
}


@pytest.fixture(scope="module")
def targets(kubectl: Tool) -> Iterator[None]:
    """A node, a pool and a lease, once the policies bite."""
    for manifest in TARGETS.values():
        kubectl("create", "-f", "-", input=json.dumps(manifest))
    try:
        soon(lambda: refusal(kubectl, "node/marks-000", {"metadata": {"labels": {"a": "b"}}}) != "", "the policy bites")
        yield
    finally:
        for target in reversed(TARGETS):
            kubectl("delete", target)


def refusal(kubectl: Tool, target: str, change: Raw, *flags: str) -> str:
    """What the API server objects to a change by the operator."""
    done = kubectl(
        "patch", target, "--type=merge", "-p", json.dumps(change), "--dry-run=server", *OPERATOR, *flags, check=False
    )
    return done.stderr


@pytest.mark.usefixtures("targets")
@pytest.mark.parametrize(
    ("target", "change", "message"),
    [
        ("gpupool/marks", {"spec": {"sanitize": {"mode": "External"}}}, "what a lease or a pool says is its author's"),
        ("gpulease/marks", {"spec": {"suspend": True}}, "what a lease or a pool says is its author's"),
        ("node/marks-000", {"metadata": {"labels": {"nvidia.com/gpu.count": None}}}, "of labels, the operator writes"),
        ("node/marks-000", {"metadata": {"labels": {"zone": "b"}}}, "of labels, the operator writes"),
        ("node/marks-000", {"metadata": {"annotations": {"a": "b"}}}, "of annotations, the operator writes"),
        ("gpulease/marks", {"metadata": {"labels": {"a": "b"}}}, "of labels, the operator writes"),
    ],
)
def test_the_operator_changes_nothing_but_its_marks(kubectl: Tool, target: str, change: Raw, message: str) -> None:
    """Neither what is run on nodes, nor who is let into a lease, nor what a node is."""
    assert message in refusal(kubectl, target, change)


@pytest.mark.usefixtures("targets")
def test_the_operator_writes_its_marks(kubectl: Tool) -> None:
    """Labels, annotations and taints on nodes, finalizers on leases and pools."""
    marks = {"metadata": {"labels": {"sublet.dev/sanitizing": "x"}, "annotations": {"sublet.dev/lease-uid": "x"}}}
    taints = {"spec": {"taints": [{"key": "sublet.dev/sanitizing", "effect": "NoExecute"}]}}
    assert refusal(kubectl, "node/marks-000", marks | taints) == ""
    for target in ("gpupool/marks", "gpulease/marks"):
        assert refusal(kubectl, target, {"metadata": {"finalizers": ["sublet.dev/in-use"]}}) == ""


@pytest.mark.usefixtures("targets")
def test_nothing_is_run_on_a_node_of_the_control_plane(kubectl: Tool) -> None:
    """It cannot be marked as being cleaned, and so no step's pod is let in by its kubelet."""
    role = "node-role.kubernetes.io/control-plane"
    kubectl("label", "node", "marks-000", f"{role}=")
    try:
        marked = {"metadata": {"labels": {"sublet.dev/sanitizing": "x"}}}
        assert "nothing is run on a node of the control plane" in refusal(kubectl, "node/marks-000", marked)
        both = {"metadata": {"labels": {"sublet.dev/sanitizing": "x", role: None}}}
        assert "of labels, the operator writes" in refusal(kubectl, "node/marks-000", both)
    finally:
        kubectl("label", "node", "marks-000", f"{role}-")


def a_job() -> Raw:
    """The Job of a step, as the operator makes it."""
    containers = [{"name": "main", "image": "images.test/sanitize:1"}]
    step = {"name": "wipe", "timeout": "1m", "template": {"spec": {"template": {"spec": {"containers": containers}}}}}
    pool = GPUPool.model_validate(changed(POOL, {"spec.sanitize": {"steps": [step]}}))
    assert pool.spec.sanitize is not None
    return job("acme", "uid-1", "marks-000", pool.spec.sanitize.steps[0])


def answer(kubectl: Tool, manifest: Raw) -> str:
    """What the API server objects to a Job of the operator."""
    done = kubectl(
        "create", "-f", "-", "--dry-run=server", "--validate=strict", *OPERATOR, input=json.dumps(manifest), check=False
    )
    return done.stderr


@pytest.mark.usefixtures("targets")
def test_the_operator_runs_a_step(kubectl: Tool) -> None:
    """The Job that it makes is admitted, whole and without a warning, in the namespace that is privileged."""
    privileged = changed(a_job(), {"spec.template.spec.hostPID": True})
    privileged["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    assert answer(kubectl, privileged) == ""


@pytest.mark.usefixtures("targets")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metadata.namespace": "default"}, "the operator runs Jobs in the namespace sublet-sanitize only"),
        ({"metadata.namespace": "kube-system"}, "the operator runs Jobs in the namespace sublet-sanitize only"),
        ({"spec.template.spec.nodeName": None}, "a Job of the operator runs on one node"),
        ({"spec.template.spec.nodeSelector": None}, "a Job of the operator runs on one node"),
        ({"spec.template.spec.nodeSelector": {"a": "b"}}, "a Job of the operator runs on one node"),
        ({"image": "elsewhere.example/x:1"}, "the image elsewhere.example/x:1 is not among those that may clean nodes"),
        ({"image": "images.testing/x:1"}, "the image images.testing/x:1 is not among those that may clean nodes"),
        ({"init": "elsewhere.example/x:1"}, "the image elsewhere.example/x:1 is not among those that may clean nodes"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_operator_runs_nothing_else(kubectl: Tool, changes: Raw, message: str) -> None:
    """Not elsewhere, not where it is not being cleaned, and nothing that the owner did not name."""
    manifest = changed(a_job(), {path: value for path, value in changes.items() if "." in path})
    pod = manifest["spec"]["template"]["spec"]
    if "image" in changes:
        pod["containers"][0]["image"] = changes["image"]
    if "init" in changes:
        pod["initContainers"] = [{"name": "init", "image": changes["init"]}]
    assert message in answer(kubectl, manifest)


def test_the_example_of_the_documentation_is_taken(kubectl: Tool) -> None:
    """The pool, and each Job that is made of its steps; and a shell can read what they run."""
    text = EXAMPLE.read_text(encoding="utf-8")
    kubectl("create", "-f", "-", "--dry-run=server", "--validate=strict", input=text)
    sanitize = GPUPool.model_validate(yaml.safe_load(text)).spec.sanitize
    assert sanitize is not None
    for step in sanitize.steps:
        made = json.dumps(job("acme", "uid-1", "gpu-1", step))
        done = kubectl("create", "-f", "-", "--dry-run=server", "--validate=strict", *ALLOWED, input=made)
        assert done.stderr == ""
        for container in step.template["spec"]["template"]["spec"]["containers"]:
            for script in container.get("args", ()):
                subprocess.run(["sh", "-n"], input=script, text=True, check=True)
