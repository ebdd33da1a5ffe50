"""What a pool may ask for between two tenants: steps that can be run on a node at all."""

from typing import Any

from sublet.api.pool_sanitize import Sanitize


def objection(sanitize: Sanitize | None) -> str | None:
    """What is wrong with the steps of a cleaning, as a sentence; None if nothing is that can be seen beforehand.

    The schema leaves templates to the API server, which sees them only when the first node is to be cleaned.
    """
    for number, step in enumerate(sanitize.steps if sanitize is not None else ()):
        wrong = _objection(step.template)
        if wrong is not None:
            return f"spec.sanitize.steps[{number}].template{wrong}"
    return None


def _objection(template: Any) -> str | None:  # noqa: ANN401 - whatever an owner wrote there
    path = ""
    for key in ("spec", "template", "spec"):
        template, path = template.get(key), f"{path}.{key}"
        if not isinstance(template, dict):
            return f"{path}: missing, or no object; write it as in a Job"
    containers = template.get("containers")
    if not isinstance(containers, list) or not containers:
        return f"{path}.containers: nothing to run; name a container and its image"
    if any(not isinstance(each, dict) or not each.get("image") for each in containers):
        return f"{path}.containers: a container has no image; name one"
    if template.get("restartPolicy", "Never") == "Always":
        return f"{path}.restartPolicy: Always never ends; leave it out, or write Never"
    return None
