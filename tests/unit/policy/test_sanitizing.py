"""Steps of a cleaning: what no Job can be made of is told the owner before the first node is to be cleaned."""

from typing import Any

import pytest

from sublet.policy.pools import judge
from tests.builders import a_pool

POD: dict[str, Any] = {"containers": [{"name": "main", "image": "registry.example/cleaner:1"}]}


def steps(*templates: object) -> dict[str, Any]:
    """The field `sanitize` with steps of these templates."""
    return {"steps": [{"name": f"s{n}", "timeout": "1m", "template": each} for n, each in enumerate(templates)]}


def of(pod: object) -> dict[str, Any]:
    """A template with this pod."""
    return {"spec": {"template": {"spec": pod}}}


def test_a_step_that_can_be_run_is_accepted() -> None:
    """Also one that says itself how its pod is restarted."""
    assert judge(a_pool(sanitize=steps(of(POD), of({**POD, "restartPolicy": "OnFailure"}))), {}) is None


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        ({}, ".spec: missing, or no object; write it as in a Job"),
        ({"spec": {"template": []}}, ".spec.template: missing, or no object; write it as in a Job"),
        (of({}), ".spec.template.spec.containers: nothing to run; name a container and its image"),
        (of({"containers": [{"name": "x"}]}), ".spec.template.spec.containers: a container has no image; name one"),
        (
            of({**POD, "restartPolicy": "Always"}),
            ".spec.template.spec.restartPolicy: Always never ends; leave it out, or write Never",
        ),
    ],
)
def test_a_step_that_cannot_be_run_is_refused(template: object, wrong: str) -> None:
    """The message names the step and the field."""
    objection = judge(a_pool(sanitize=steps(of(POD), template)), {})
    assert objection is not None
    assert objection.reason == "InvalidSpec"
    assert objection.message == f"spec.sanitize.steps[1].template{wrong}"
