"""Rules and policies of admission, and the manifests that they become."""

from dataclasses import dataclass
from typing import Any, Final

from sublet.desired import naming

Manifest = dict[str, Any]

OPERATOR: Final = "@OPERATOR@"
"""Stands in CEL for the operator's user name, which the chart fills in."""

BREAK_GLASS: Final = "@BREAK_GLASS@"
"""Stands in CEL for the group that may do by hand what is the operator's alone; the chart fills it in."""

SANITIZERS: Final = "@SANITIZERS@"
"""Stands in CEL for the group that may say that a node is clean; the chart fills it in."""

PLACEHOLDERS: Final = (OPERATOR, BREAK_GLASS, SANITIZERS)
"""All names that the chart fills in."""

BY_OPERATOR: Final = f"request.userInfo.username == '{OPERATOR}'"
"""CEL: the operator asks."""

BY_BREAK_GLASS: Final = f"(has(request.userInfo.groups) && '{BREAK_GLASS}' in request.userInfo.groups)"
"""CEL: somebody asks who broke the glass."""

BY_SANITIZER: Final = f"(has(request.userInfo.groups) && '{SANITIZERS}' in request.userInfo.groups)"
"""CEL: another system asks that cleans nodes."""

BY_CLUSTER: Final = """\
(request.userInfo.username in ['system:kube-scheduler', 'system:kube-controller-manager']
  || request.userInfo.username.startsWith('system:serviceaccount:kube-system:'))"""
"""CEL: the cluster's own controllers ask, which bind claims, collect garbage and clear namespaces away."""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of an object.

    Attributes:
        name: In kebab case. It begins the message, so that whoever is refused, and every test, knows by what.
        cel: True if the object may pass. Kubernetes CEL, see its documentation of ValidatingAdmissionPolicy.
        message: What is wrong and what to do instead, in one sentence without a full stop. A single text, or a CEL
            expression if `is_cel` says so.
        is_cel: Whether `message` is CEL.
    """

    name: str
    cel: str
    message: str
    is_cel: bool = False

    def validation(self) -> Manifest:
        """The rule as an entry of `spec.validations`."""
        said = {"message": f"{self.name}: {self.message}"}
        if self.is_cel:
            # The plain one is for a message that cannot be evaluated.
            said = {"message": f"{self.name}: refused", "messageExpression": f"'{self.name}: ' + {self.message}"}
        return {"expression": self.cel, "reason": "Forbidden", **said}


@dataclass(frozen=True)
class Match:
    """Which requests a policy looks at."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    operations: tuple[str, ...] = ("CREATE", "UPDATE")


@dataclass(frozen=True)
class Policy:
    """Rules that look at the same requests.

    Attributes:
        name: Without the `sublet-` that every object's name begins with.
        matches: Which requests.
        rules: What must hold of them, in the order in which a person would want to hear of several faults.
        variables: (name, CEL) of what several rules need.
        conditions: (name, CEL) of what must be true for the policy to look at a request at all.
        in_leases: Whether only requests in the namespaces of leases are meant. A selector on namespaces does not
            exempt cluster-scoped objects, so the scope is named as well.
    """

    name: str
    matches: tuple[Match, ...]
    rules: tuple[Rule, ...]
    variables: tuple[tuple[str, str], ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    in_leases: bool = True


@dataclass(frozen=True)
class Mutation:
    """A policy that completes objects, so that whoever knows nothing of leases need not learn.

    Attributes:
        name: Without the `sublet-` that every object's name begins with.
        matches: Which requests; only CREATE and UPDATE can be changed.
        patches: CEL of JSON patches. Each reads the object as it was sent, not what another one makes of it.
        variables: (name, CEL) of what several patches need.
        conditions: (name, CEL) of what must be true for the policy to look at a request at all.
    """

    name: str
    matches: tuple[Match, ...]
    patches: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()


def manifests(policy: Policy | Mutation) -> list[Manifest]:
    """A policy as the API server wants it, and its binding. What cannot be evaluated is refused."""
    kind, spec, binding = _validating(policy) if isinstance(policy, Policy) else _mutating(policy)
    whole = {
        "failurePolicy": "Fail",
        "matchConditions": [{"name": name, "expression": cel} for name, cel in policy.conditions],
        "variables": [{"name": name, "expression": cel} for name, cel in policy.variables],
        **spec,
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1"}
    metadata = {"metadata": {"name": f"sublet-{policy.name}"}}
    return [
        {**head, "kind": kind, **metadata, "spec": {key: value for key, value in whole.items() if value}},
        {**head, "kind": f"{kind}Binding", **metadata, "spec": {"policyName": f"sublet-{policy.name}", **binding}},
    ]


def _validating(policy: Policy) -> tuple[str, Manifest, Manifest]:
    spec = {
        "matchConstraints": _constraints(policy.matches, in_leases=policy.in_leases),
        "validations": [rule.validation() for rule in policy.rules],
    }
    return "ValidatingAdmissionPolicy", spec, {"validationActions": ["Deny"]}


def _mutating(policy: Mutation) -> tuple[str, Manifest, Manifest]:
    # One mutation, invoked once: for each the API server writes the whole object as JSON and reads it again, and would
    # do so a second time because of its own change.
    whole = "\n+ ".join(f"({cel})" for cel in policy.patches)
    spec = {
        "matchConstraints": _constraints(policy.matches, in_leases=True),
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": whole}}],
    }
    return "MutatingAdmissionPolicy", spec, {}


def _constraints(matches: tuple[Match, ...], *, in_leases: bool) -> Manifest:
    return {
        "resourceRules": [
            {
                "apiGroups": list(match.groups),
                "apiVersions": ["*"],
                "resources": list(match.resources),
                "operations": list(match.operations),
                "scope": "Namespaced" if in_leases else "*",
            }
            for match in matches
        ],
        **(
            {"namespaceSelector": {"matchExpressions": [{"key": naming.LEASE, "operator": "Exists"}]}}
            if in_leases
            else {}
        ),
    }
