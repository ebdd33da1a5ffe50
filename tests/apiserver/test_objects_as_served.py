"""A real API server serves the objects so that people can read them: in one line, in full and explained."""

import json
from collections.abc import Iterator

import pytest

from sublet.api.crds import crds
from sublet.api.pool import GPUPool
from tests.apiserver.objects import LEASE, POOL, Kubectl, changed, condition, create

TENANT = "--field-selector=spec.tenant.name=row-tenant"


@pytest.fixture(scope="module")
def queued(kubectl: Kubectl) -> Iterator[str]:
    """Name of a stored lease that waits in the queue."""
    lease = changed(LEASE, {"metadata.name": "served-row", "spec.tenant.name": "row-tenant"})
    status = {
        "phase": "Queued",
        "message": "Waiting for 4 nodes.",
        "conditions": [condition("Accepted", "True"), condition("Ready", "False")],
        "nodeCount": 4,
        "endsAt": "2126-12-08T08:00:00Z",
        "queue": {"position": 2},
    }
    kubectl("create", "-f", "-", input=json.dumps(lease))
    patch = json.dumps({"status": status})
    kubectl("patch", "gpulease", "served-row", "--subresource=status", "--type=merge", "-p", patch)
    yield "served-row"
    kubectl("delete", "gpulease", "served-row", "--wait=false")


@pytest.mark.parametrize("file", sorted(crds()))
def test_the_crds_are_structural_and_served(kubectl: Kubectl, file: str) -> None:
    committed = crds()[file]
    served = json.loads(kubectl("get", "crd", committed["metadata"]["name"], "-o", "json").stdout)
    conditions = {c["type"]: c["status"] for c in served["status"]["conditions"]}
    assert conditions["Established"] == conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert served["spec"]["versions"] == committed["spec"]["versions"]


def test_one_line_says_how_a_lease_stands(kubectl: Kubectl, queued: str) -> None:
    heading, row = kubectl("get", "gl", TENANT).stdout.splitlines()
    assert heading.split() == ["NAME", "PHASE", "TENANT", "NODES", "READY", "QUEUE", "ENDS", "WHY", "AGE"]
    assert row.split()[:7] == [queued, "Queued", "row-tenant", "4", "False", "2", "2126-12-08T08:00:00Z"]
    assert "Waiting for 4 nodes." in row


def test_a_wide_line_says_more(kubectl: Kubectl, queued: str) -> None:
    heading, row = kubectl("get", "gl", queued, "-o", "wide").stdout.splitlines()
    assert heading.split()[-3:] == ["POOL", "STARTS", "GPUS"]
    assert "h100" in row


@pytest.mark.parametrize(("selector", "found"), [("status.phase=Queued", True), ("status.phase=Active", False)])
def test_leases_are_selected_by_pool_tenant_and_phase(
    kubectl: Kubectl,
    queued: str,
    selector: str,
    found: bool,  # noqa: FBT001 - a test parameter
) -> None:
    names = kubectl("get", "gl", f"{TENANT},spec.pool=h100,{selector}", "-o", "name").stdout
    assert (queued in names) is found


def test_a_category_gets_all_kinds(kubectl: Kubectl, queued: str) -> None:
    assert f"gpulease.sublet.dev/{queued}" in kubectl("get", "sublet", "-o", "name").stdout


def test_a_condition_can_be_waited_for(kubectl: Kubectl, queued: str) -> None:
    kubectl("wait", "--for=condition=Accepted", "--timeout=5s", f"gl/{queued}")


def test_a_pool_is_stored_with_every_default(kubectl: Kubectl) -> None:
    stored = json.loads(create(kubectl, POOL).stdout)
    model = GPUPool.model_validate(POOL).spec.dump()
    for part in ("terms", "schedule", "resourceName"):
        assert stored["spec"][part] == model[part]
    assert stored["spec"]["ownerFloor"] == {"nodes": 0}
    assert stored["spec"]["isolation"] == {part: model["isolation"][part] for part in ("dns", "podSecurity", "probe")}
    assert "status" not in stored


@pytest.mark.parametrize(
    ("kind", "part"),
    [("gpulease", "spec"), ("gpulease", "status"), ("gpupool", "spec"), ("gpupool", "status"), ("leaserecord", "spec")],
)
def test_explain_has_a_sentence_for_every_field(kubectl: Kubectl, kind: str, part: str) -> None:
    schema = crds()[f"sublet.dev_{kind}s.yaml"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    shown = " ".join(kubectl("explain", f"{kind}.{part}").stdout.split())
    for name, field in schema["properties"][part]["properties"].items():
        assert f"{name} <" in shown
        assert field["description"] in shown
    assert "<no description>" not in shown


def test_explain_shows_defaults(kubectl: Kubectl) -> None:
    assert "Default: `182d`." in " ".join(kubectl("explain", "gpupool.spec.terms.maxDuration").stdout.split())


def test_explain_shows_all_of_the_metadata(kubectl: Kubectl) -> None:
    assert "ownerReferences" in kubectl("explain", "gpulease.metadata").stdout
