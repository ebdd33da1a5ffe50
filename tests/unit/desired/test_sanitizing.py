"""The Job of a step: the owner's template, on one node, and only while that node is cleaned after this lease."""

from typing import Any

from sublet.api.pool_sanitize import SanitizeStep
from sublet.desired.sanitizing import job, job_name

POD: dict[str, Any] = {
    "containers": [{"name": "main", "image": "registry.example/cleaner:1"}],
    "hostPID": True,
    "nodeSelector": {"disk": "nvme"},
    "tolerations": [{"key": "owner.example/broken", "operator": "Exists"}],
}


def a_step(name: str = "wipe", **spec: object) -> SanitizeStep:
    """A step with 90 seconds of time."""
    template = {"metadata": {"labels": {"team": "fleet"}}, "spec": {**spec, "template": {"spec": POD}}}
    return SanitizeStep.model_validate({"name": name, "timeout": "90s", "template": template})


def test_a_job_is_the_template_on_one_node() -> None:
    """Labels say whose it is; time, place and number of pods are decided here, the rest is the owner's."""
    made = job("acme", "uid-1", "gpu-1", a_step())
    labels = {"sublet.dev/lease": "acme", "sublet.dev/lease-uid": "uid-1", "sublet.dev/step": "wipe"}
    assert made == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name("uid-1", "gpu-1", "wipe"),
            "namespace": "sublet-sanitize",
            "labels": {"team": "fleet", **labels},
        },
        "spec": {
            "backoffLimit": 2,
            "parallelism": 1,
            "completions": 1,
            "suspend": False,
            "activeDeadlineSeconds": 90,
            "ttlSecondsAfterFinished": 604800,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **POD,
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "nodeName": "gpu-1",
                    "nodeSelector": {"disk": "nvme", "sublet.dev/sanitizing": "uid-1"},
                    "tolerations": [
                        {"key": "owner.example/broken", "operator": "Exists"},
                        {"key": "sublet.dev/lease", "operator": "Equal", "value": "acme", "effect": "NoExecute"},
                        {"key": "sublet.dev/sanitizing", "operator": "Exists", "effect": "NoExecute"},
                        {"key": "sublet.dev/quarantined", "operator": "Exists", "effect": "NoExecute"},
                    ],
                },
            },
        },
    }


def test_a_template_decides_how_often_it_is_tried_and_not_where_or_how_long() -> None:
    """What would run it elsewhere, later, or several times is overruled."""
    made = job(
        "acme", "uid-1", "gpu-1", a_step(backoffLimit=0, parallelism=7, suspend=True, activeDeadlineSeconds=9999)
    )
    assert made["spec"]["backoffLimit"] == 0
    assert (made["spec"]["parallelism"], made["spec"]["suspend"]) == (1, False)
    assert made["spec"]["activeDeadlineSeconds"] == 90


def test_the_name_tells_lease_node_and_step_apart() -> None:
    """The same three give the same name, which fits the 63 characters of a label however long they are."""
    names = {job_name(*key) for key in (("u", "n", "s"), ("u2", "n", "s"), ("u", "n2", "s"), ("u", "n", "s2"))}
    assert len(names) == 4
    assert job_name("u", "n", "s") in names
    long = job_name("u" * 36, "n" * 253, "s" * 39 + "-" + "s" * 23)
    assert len(long) <= 63
    assert "--" not in long
