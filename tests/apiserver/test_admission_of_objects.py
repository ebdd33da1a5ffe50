"""A real API server refuses a new object that contradicts itself, in plain words that name the field."""

import json

import pytest

from sublet.api.lease import GPULease
from sublet.api.meta import Resource
from sublet.api.pool import GPUPool
from sublet.api.record import LeaseRecord
from tests.apiserver.objects import (
    LEASE,
    POOL,
    RECORD,
    ROW,
    STEP,
    Changes,
    Kubectl,
    Raw,
    changed,
    create,
    egress,
    nothing,
    subject,
    table,
)

MODELS: dict[str, type[Resource]] = {"GPUPool": GPUPool, "LeaseRecord": LeaseRecord}
DURATION_HINT = "write days, hours, minutes and seconds in this order, more than none, for example 7d or 1h30m"
NAME_HINT = (
    "metadata.name becomes part of the names of namespaces: use at most 40 lower-case letters, digits and inner hyphens"
)

REFUSED_LEASES: list[tuple[str, Changes, str, str]] = [
    (
        "no size",
        nothing("nodes"),
        "spec.nodes: Required value",
        "the size is missing: set spec.nodes to a number of nodes, or spec.gpus to a number of GPUs",
    ),
    (
        "two sizes",
        {"spec.gpus": 32},
        "spec.gpus: Forbidden",
        "spec.nodes and spec.gpus are both set: keep one, the other follows from the pool's nodes",
    ),
    (
        "no end",
        nothing("end"),
        "spec.end: Required value",
        "the lease has no end: set spec.duration, for example 7d, or spec.end",
    ),
    (
        "start, end and duration",
        {"spec.duration": "7d"},
        "spec.duration: Forbidden",
        "spec.start, spec.end and spec.duration are all set: keep two of them, the third follows",
    ),
    (
        "flexible without a start",
        {"spec.start": None, "spec.latestStart": "2126-12-02T08:00:00Z"},
        "spec.latestStart: Forbidden",
        "spec.latestStart needs spec.start: set the earliest start too, or remove spec.latestStart",
    ),
    (
        "end at start",
        {"spec.end": "2126-12-01T09:00:00+01:00"},
        "spec.end: Invalid value",
        "spec.end is not after spec.start: choose a later end, or an earlier start",
    ),
    (
        "latest start before start",
        {"spec.latestStart": "2126-12-01T07:59:59Z"},
        "spec.latestStart: Invalid value",
        "spec.latestStart is before spec.start: choose a later one, or remove it",
    ),
    (
        "latest start at end",
        {"spec.latestStart": "2126-12-08T08:00:00Z"},
        "spec.latestStart: Invalid value",
        "spec.latestStart is not before spec.end: choose an earlier one, or a later spec.end",
    ),
    (
        "extendable to before the end",
        {"spec.extendableUntil": "2126-12-08T07:59:59Z"},
        "spec.extendableUntil: Invalid value",
        "spec.extendableUntil is before spec.end: no lease can end later than it may be extended",
    ),
    (
        "extendable to before the end that follows",
        {"spec.end": None, "spec.duration": "6d23h59m60s", "spec.extendableUntil": "2126-12-08T07:59:59Z"},
        "spec.extendableUntil: Invalid value",
        "spec.extendableUntil is before spec.start plus spec.duration: choose a later one, or a shorter time",
    ),
    (
        "duration of nothing",
        {"spec.end": None, "spec.duration": "0d0h"},
        'spec.duration: Invalid value: "0d0h"',
        DURATION_HINT,
    ),
    (
        "duration in weeks",
        {"spec.end": None, "spec.duration": "1w"},
        'spec.duration: Invalid value: "1w"',
        DURATION_HINT,
    ),
    (
        "subject of the cluster",
        subject("system:authenticated"),
        "spec.tenant.subjects[0].name: Forbidden",
        "system: names belong to the cluster: name a user or group of the tenant",
    ),
    (
        "subject without a name",
        subject(""),
        'spec.tenant.subjects[0].name: Invalid value: ""',
        "spec.tenant.subjects[0].name in body",
    ),
    (
        "no subjects",
        {"spec.tenant.subjects": []},
        "spec.tenant.subjects: Invalid value: 0",
        "spec.tenant.subjects in body should have at least 1 items",
    ),
    (
        "subject twice",
        {"spec.tenant.subjects": 2 * LEASE["spec"]["tenant"]["subjects"]},
        "spec.tenant.subjects[1]: Duplicate value",
        '{"kind":"User"',
    ),
    ("suffix twice", {"spec.namespaces": ["a", "a"]}, "spec.namespaces[1]: Duplicate value", '"a"'),
    (
        "suffix too long for the name",
        {"metadata.name": "n" * 40, "spec.namespaces": ["a", "s" * 17]},
        "spec.namespaces: Invalid value",
        "spec.namespaces has too long a suffix: metadata.name and a suffix may have 56 characters together",
    ),
    (
        "no network",
        egress("10.0.0.0"),
        'spec.network.egress[0].cidr: Invalid value: "10.0.0.0"',
        "is no network: write it as 203.0.113.0/24 or 2001:db8::/32",
    ),
    (
        "bits behind the prefix",
        egress("203.0.113.7/24"),
        'spec.network.egress[0].cidr: Invalid value: "203.0.113.7/24"',
        "has bits set behind its prefix: write the first address of the network",
    ),
    (
        "ports from high to low",
        egress("203.0.113.0/24", {"port": 443, "endPort": 80}),
        "spec.network.egress[0].ports[0].endPort: Invalid value",
        "endPort is below port: give the range from its lowest to its highest port",
    ),
    *(
        (
            f"called {name}",
            {"metadata.name": name},
            "metadata.name: Invalid value",
            NAME_HINT,
        )
        for name in ("a.b", "n" * 41)
    ),
]


TAKEN_LEASES: list[tuple[str, Changes]] = [
    ("as it is", {}),
    ("gpus instead of nodes", {"spec.nodes": None, "spec.gpus": 32}),
    ("duration alone", {**nothing("start", "end"), "spec.duration": "1h30m"}),
    ("end alone", nothing("start")),
    ("start and duration", {"spec.end": None, "spec.duration": "7d"}),
    ("end and duration", {"spec.start": None, "spec.duration": "7d"}),
    ("flexible start", {"spec.latestStart": "2126-12-02T08:00:00Z"}),
    ("flexible by nothing", {"spec.latestStart": "2126-12-01T08:00:00Z"}),
    ("extendable to the end", {"spec.extendableUntil": "2126-12-08T08:00:00Z"}),
    (
        "extendable to the end that follows",
        {"spec.end": None, "spec.duration": "6d23h59m60s", "spec.extendableUntil": "2126-12-08T08:00:00Z"},
    ),
    ("not extendable", nothing("extendableUntil")),
    ("a user whose name has system: inside", subject("oidc:system:anna")),
    ("IPv4 and ports", egress("0.0.0.0/0", {"port": 80, "endPort": 80}, {"port": 53, "protocol": "UDP"})),
    ("IPv6", egress("2001:db8::/32")),
    ("one host", egress("203.0.113.7/32")),
    ("longest name", {"metadata.name": "n" * 40, "spec.namespaces": ["s" * 16]}),
    ("released from the beginning", {"spec.release": True}),
]


REFUSED_OTHERS: list[tuple[str, Raw, Changes, str, str]] = [
    (
        "empty selector",
        POOL,
        {"spec.nodeSelector": {}},
        "spec.nodeSelector: Required value",
        "is empty, which would select every node of the cluster: name a label",
    ),
    (
        "selector of empty parts",
        POOL,
        {"spec.nodeSelector": {"matchLabels": {}, "matchExpressions": []}},
        "spec.nodeSelector: Required value",
        "is empty",
    ),
    ("no selector", POOL, {"spec": {}}, "spec.nodeSelector", "Required value"),
    *(
        (
            f"{operator} with {values}",
            POOL,
            {"spec.nodeSelector": {"matchExpressions": [{"key": "a", "operator": operator, "values": values}]}},
            "spec.nodeSelector.matchExpressions[0].values: Invalid value",
            "In and NotIn need values, Exists and DoesNotExist take none",
        )
        for operator, values in (("In", []), ("Exists", ["b"]))
    ),
    (
        "level twice",
        POOL,
        {"spec.topology": ["zone", "rack", "zone"]},
        "spec.topology: Invalid value",
        "names a label twice: name each level once, the widest first",
    ),
    (
        "no steps",
        POOL,
        {"spec.sanitize": {}},
        "spec.sanitize.steps: Required value",
        "mode Steps has no steps: add one, or set mode to External",
    ),
    (
        "steps of an external cleaning",
        POOL,
        {"spec.sanitize": {"mode": "External", "steps": [STEP]}},
        "spec.sanitize.steps: Forbidden",
        "mode External runs no steps: remove them, or set mode to Steps",
    ),
    (
        "a term of nothing",
        POOL,
        {"spec.terms": {"minDuration": "0s"}},
        'spec.terms.minDuration: Invalid value: "0s"',
        DURATION_HINT,
    ),
    (
        "a gap in words",
        POOL,
        {"spec.schedule": {"cleaningGap": "long"}},
        'spec.schedule.cleaningGap: Invalid value: "long"',
        "write days, hours, minutes and seconds in this order, for example 7d or 1h30m",
    ),
    *(
        (
            f"{lesser} above {greater}",
            POOL,
            changes,
            f"spec.{lesser}: Invalid value",
            (
                f"spec.{lesser} is {values[0]}, {than} than spec.{greater}, which is {values[1]}: "
                "lower the one or raise the other"
            ),
        )
        for lesser, values, than, greater, changes in (
            (
                "terms.minDuration",
                ("1d1s", "24h"),
                "longer",
                "terms.maxDuration",
                {"spec.terms": {"minDuration": "1d1s", "maxDuration": "24h"}},
            ),
            (
                "terms.minDuration",
                ("90m", "1h29m59s"),
                "longer",
                "terms.longestTotal",
                {"spec.terms": {"minDuration": "90m", "longestTotal": "1h29m59s"}},
            ),
            ("terms.leadTime", ("57d", "56d"), "longer", "terms.horizon", {"spec.terms": {"leadTime": "57d"}}),
            (
                "schedule.drainBefore",
                ("30m", "1800s"),
                "not shorter",
                "terms.maxDuration",
                {"spec.terms": {"minDuration": "1m", "maxDuration": "1800s"}},
            ),
            (
                "schedule.drainBefore",
                ("1h", "1h"),
                "not shorter",
                "terms.longestTotal",
                {"spec.terms": {"longestTotal": "1h"}, "spec.schedule": {"drainBefore": "1h"}},
            ),
        )
    ),
    *(
        (
            f"a price of {price}",
            POOL,
            {"spec.pricing": {"currency": "EUR", "firm": "2.50"} | {field: price}},
            f'spec.pricing.{field}: Invalid value: "{price}"',
            "the price of one GPU for one hour must be less than 1000000, or amounts would not fit into the ledger",
        )
        for field, price in (("firm", "1000000"), ("interruptible", "999999999999999.5"))
    ),
    (
        "privileged pods",
        POOL,
        {"spec.isolation": {"podSecurity": {"level": "privileged"}}},
        'spec.isolation.podSecurity.level: Unsupported value: "privileged"',
        'supported values: "restricted", "baseline"',
    ),
    (
        "pool named like a domain",
        POOL,
        {"metadata.name": "a.b"},
        "metadata.name: Invalid value",
        "metadata.name becomes the value of a node label: use at most 63 lower-case letters, digits and inner hyphens",
    ),
    (
        "row backwards",
        RECORD,
        {"spec.rows": [ROW | {"end": "2026-12-01T07:00:00Z"}]},
        "spec.rows[0].end: Invalid value",
        "end is before start: give the interval from its beginning to its end",
    ),
    (
        "amount of no currency",
        RECORD,
        {"spec.rows": [ROW | {"amount": "13440.00"}]},
        "spec.rows[0].currency: Required value",
        "an amount or a price needs a currency",
    ),
]


TAKEN_OTHERS: list[tuple[str, Raw, Changes]] = [
    ("a pool", POOL, {}),
    (
        "a pool by expressions",
        POOL,
        {"spec.nodeSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}},
    ),
    ("levels", POOL, {"spec.topology": ["topology.kubernetes.io/zone", "nvidia.com/gpu.clique"]}),
    ("steps", POOL, {"spec.sanitize": {"steps": [STEP]}}),
    ("an external cleaning", POOL, {"spec.sanitize": {"mode": "External"}}),
    ("no gap", POOL, {"spec.schedule": {"cleaningGap": "0s", "notices": []}}),
    (
        "terms at their bounds",
        POOL,
        {
            "spec.terms": {"minDuration": "60m", "maxDuration": "1h", "longestTotal": "1h", "leadTime": "56d"},
            "spec.schedule": {"drainBefore": "59m59s"},
        },
    ),
    (
        "the longest terms",
        POOL,
        {"spec.terms": {"horizon": "9999d99999h9999999m99999999s", "maxDuration": "9999d99999h9999999m99999999s"}},
    ),
    ("the highest prices", POOL, {"spec.pricing": {"currency": "VND", "firm": "999999.99999", "interruptible": "0"}}),
    ("a window", POOL, {"spec.ownerFloor.windows": [{"start": "0 8 * * MON-FRI", "duration": "10h", "nodes": 8}]}),
    ("a record", RECORD, {}),
    ("a credit", RECORD, {"spec.rows": [ROW, ROW | {"kind": "Credit", "currency": "EUR", "amount": "-12.50"}]}),
    ("a row of no length", RECORD, {"spec.rows": [ROW | {"end": ROW["start"]}]}),
]


@pytest.mark.parametrize(("changes", "where", "message"), **table(REFUSED_LEASES))
def test_a_lease_that_contradicts_itself_is_refused(
    kubectl: Kubectl, changes: Changes, where: str, message: str
) -> None:
    answer = create(kubectl, changed(LEASE, changes))
    assert answer.returncode != 0
    assert f"{where}: {message}" in answer.stderr


@pytest.mark.parametrize(("changes",), **table(TAKEN_LEASES))
def test_a_lease_that_makes_sense_is_taken_and_can_be_read(kubectl: Kubectl, changes: Changes) -> None:
    lease = changed(LEASE, changes)
    answer = create(kubectl, lease)
    assert answer.stderr == ""
    assert GPULease.model_validate_json(answer.stdout).spec == GPULease.model_validate(lease).spec


@pytest.mark.parametrize(("raw", "changes", "where", "message"), **table(REFUSED_OTHERS))
def test_a_pool_or_record_that_contradicts_itself_is_refused(
    kubectl: Kubectl, raw: Raw, changes: Changes, where: str, message: str
) -> None:
    answer = create(kubectl, changed(raw, changes))
    assert answer.returncode != 0
    assert f"{where}: {message}" in answer.stderr


@pytest.mark.parametrize(("raw", "changes"), **table(TAKEN_OTHERS))
def test_a_pool_or_record_that_makes_sense_is_taken_and_can_be_read(
    kubectl: Kubectl, raw: Raw, changes: Changes
) -> None:
    made = changed(raw, changes)
    answer = create(kubectl, made)
    assert answer.stderr == ""
    model = MODELS[raw["kind"]]
    assert model.model_validate_json(answer.stdout).dump()["spec"] == model.model_validate(made).dump()["spec"]


@pytest.mark.parametrize(
    "text",
    [
        "2126-12-01T08:00:00.123456789Z",
        "2126-12-01T08:00:00-00:00",
        "2126-12-01T08:00:00+19:59",
        "2126-12-01T08:00:00z",
        "2126-12-01t08:00:00Z",
        "2126-12-01T08:00:00",
        "2126-12-01T08:00:60Z",
        "2126-12-01T24:00:00Z",
        "2126-02-29T08:00:00Z",
        "2126-12-01T08:00:00+24:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_server_and_model_take_the_same_instants(kubectl: Kubectl, text: str) -> None:
    lease = changed(LEASE, {**nothing("end", "extendableUntil"), "spec.duration": "7d", "spec.start": text})
    taken = create(kubectl, lease).returncode == 0
    try:
        GPULease.model_validate(lease)
    except ValueError:
        assert not taken
    else:
        assert taken


def test_a_field_of_no_version_is_dropped_with_a_warning(kubectl: Kubectl) -> None:
    answer = kubectl(
        *("create", "--dry-run=server", "--validate=warn", "-o", "json", "-f", "-"),
        input=json.dumps(changed(LEASE, {"spec.colour": "blue"})),
    )
    assert 'unknown field "spec.colour"' in answer.stderr
    assert "colour" not in json.loads(answer.stdout)["spec"]


def test_the_template_of_a_step_is_kept_as_it_is(kubectl: Kubectl) -> None:
    answer = create(kubectl, changed(POOL, {"spec.sanitize": {"steps": [STEP]}}))
    assert json.loads(answer.stdout)["spec"]["sanitize"]["steps"][0]["template"] == STEP["template"]
