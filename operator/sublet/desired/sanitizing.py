"""Sanitizing: the Job that runs one step of the owner's on one node."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from sublet.api.pool_sanitize import SanitizeStep
from sublet.desired import naming

Raw = dict[str, Any]

_TRIES_AGAIN = 2
"""How often a step that failed is tried again, unless its template says otherwise; after 10 and 20 s."""

_EVIDENCE_SECONDS = 7 * 24 * 3600
"""How long a Job that failed is kept by Kubernetes, with its pod's log, for whoever looks at the node."""

_DECIDED_HERE = ("selector", "manualSelector", "completionMode", "podReplacementPolicy")
"""What a template has no say in: one pod at a time, on one node, found by labels that Kubernetes makes."""


def job_name(uid: str, node: str, step: str) -> str:
    """The name of the one Job for a step on a node after a lease: whoever makes it a second time is refused."""
    mark = hashlib.sha256(json.dumps([uid, node, step]).encode()).hexdigest()[:16]
    return f"{step[:40].rstrip('-')}-{mark}"


def job(lease: str, uid: str, node: str, step: SanitizeStep) -> Raw:
    """The Job that runs a step on a node that is being cleaned after a lease.

    The pod goes to the node by name, past the scheduler. Its kubelet refuses it unless the node is still being cleaned
    after this very lease, and the taint of another lease puts it off: so a Job that an operator makes late, after a
    long pause of its process, does nothing to the tenant who has the node by then.
    """
    template = step.template
    spec = _part(template, "spec")
    pod = _part(spec, "template")
    labels = {**naming.owner_labels(lease, uid), naming.STEP: step.name}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            **_metadata(template, labels),
            "name": job_name(uid, node, step.name),
            "namespace": naming.CLEANERS,
        },
        "spec": {
            "backoffLimit": _TRIES_AGAIN,
            **{key: value for key, value in spec.items() if key not in _DECIDED_HERE},
            "parallelism": 1,
            "completions": 1,
            "suspend": False,
            "activeDeadlineSeconds": math.ceil(step.timeout.total_seconds()),
            "ttlSecondsAfterFinished": _EVIDENCE_SECONDS,
            "template": {"metadata": _metadata(pod, labels), "spec": _on_node(_part(pod, "spec"), lease, uid, node)},
        },
    }


def _on_node(pod: Raw, lease: str, uid: str, node: str) -> Raw:
    tolerations = [
        *(pod.get("tolerations") or ()),
        {"key": naming.LEASE, "operator": "Equal", "value": lease, "effect": "NoExecute"},
        {"key": naming.SANITIZING, "operator": "Exists", "effect": "NoExecute"},
        # A pod that failed stays, with its log, on the node that is quarantined for it.
        {"key": naming.QUARANTINED, "operator": "Exists", "effect": "NoExecute"},
    ]
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        **pod,
        "nodeName": node,
        "nodeSelector": {**_part(pod, "nodeSelector"), naming.SANITIZING: uid},
        "tolerations": tolerations,
    }


def _metadata(of: Mapping[str, Any], labels: Mapping[str, str]) -> Raw:
    given = _part(of, "metadata")
    own: Raw = {"labels": {**_part(given, "labels"), **labels}}
    annotations = _part(given, "annotations")
    return {**own, "annotations": annotations} if annotations else own


def _part(of: Mapping[str, Any], key: str) -> Raw:
    return dict(of.get(key) or {})
