"""Cleaning a node: marked, step after step, and free; or quarantined; from wherever an earlier pass left it."""

from dataclasses import replace
from typing import Any

import pytest

from sublet.api.pool import GPUPool
from sublet.desired.sanitizing import job_name
from sublet.plan.observed import JobSeen, JobState, LeaseView, NodeSeen
from sublet.plan.sanitizing import Cleaning, came_back_anew, cleaning_of
from sublet.plan.steps import ChangeNode, Delete, Plan, RunJob, Step
from sublet.plan.teardown import is_cleared, tear_down
from tests.builders import a_lease, a_lease_view, a_node, a_pool, at, booked

LEASE = booked(a_lease(), active_at=at(0))
UID = LEASE.metadata.uid
TEMPLATE: dict[str, Any] = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "cleaner"}]}}}}
STEPS = a_pool(
    sanitize={"steps": [{"name": name, "timeout": "1m", "template": TEMPLATE} for name in ("wipe", "check")]}
)
EXTERNAL = a_pool(sanitize={"mode": "External"})
LEASE_TAINT = {"key": "sublet.dev/lease", "value": "acme-train", "effect": "NoExecute"}
TAINT = {"key": "sublet.dev/sanitizing", "effect": "NoExecute"}


def dirty(name: str = "gpu-1", **fields: object) -> NodeSeen:
    """A node of the lease that carries the marks of the cleaning."""
    return replace(a_node(name, LEASE, taints=[TAINT]), sanitizing_after=UID, **fields)  # type: ignore[arg-type]


def a_job(step: str, state: str = "Succeeded", node: str = "gpu-1", **fields: object) -> JobSeen:
    """The Job of a step."""
    seen = JobSeen(job_name(UID, node, step), f"uid-{step}", "acme-train", UID, node, JobState(state))
    return replace(seen, **fields)  # type: ignore[arg-type]


def plan(*nodes: NodeSeen, jobs: tuple[JobSeen, ...] = (), pool: GPUPool | None = STEPS) -> Plan:
    """What a pass does at the end of the lease, when its namespaces are gone."""
    return tear_down([], nodes, [], at(8.25), at(8), cleaning(*jobs, pool=pool))


def cleaning(*jobs: JobSeen, pool: GPUPool | None = STEPS) -> Cleaning:
    """The cleaning after the lease."""
    return cleaning_of("acme-train", UID, pool, jobs)


def said(plan: Plan) -> list[str]:
    """The steps of a plan in words."""
    return [_word(step) for wave in plan.waves for step in wave]


def _word(step: Step) -> str:
    match step:
        case RunJob(manifest):
            labels = manifest["metadata"]["labels"]
            return f"run {labels['sublet.dev/step']} on {manifest['spec']['template']['spec']['nodeName']}"
        case Delete("Job", name, namespace):
            return f"delete {namespace}/{name}"
        case ChangeNode(name, change):
            keys = [taint["key"] for taint in change["spec"]["taints"] or ()]
            return f"{name}: {', '.join(keys) or 'free'}"
        case _:
            return str(step)


def test_a_node_is_marked_before_anything_runs_on_it() -> None:
    """It keeps the claim, and the first Job comes in a later pass, which has seen the mark."""
    marked = plan(a_node("gpu-1", LEASE))
    assert said(marked) == ["gpu-1: sublet.dev/lease, sublet.dev/sanitizing"]
    assert marked.waiting == "nodes are being cleaned, waiting for the mark on gpu-1"


@pytest.mark.parametrize(
    ("jobs", "steps", "waiting"),
    [
        ((), ["run wipe on gpu-1"], "step wipe"),
        ((a_job("wipe", "Running"),), [], "step wipe"),
        ((a_job("wipe"),), ["run check on gpu-1"], "step check"),
        ((a_job("wipe"), a_job("check", "Running")), [], "step check"),
        ((a_job("wipe", leaving=True),), [], "step wipe"),
        # Of another lease of the name: nothing of it is believed.
        ((a_job("wipe", lease_uid="uid-other"),), ["run wipe on gpu-1"], "step wipe"),
    ],
    ids=["marked", "first runs", "first is done", "second runs", "first is being deleted", "somebody else's"],
)
def test_steps_are_run_one_after_the_other(jobs: tuple[JobSeen, ...], steps: list[str], waiting: str) -> None:
    """The next one when the one before has succeeded; the node stays claimed."""
    found = plan(dirty(), jobs=jobs)
    assert said(found) == steps
    assert found.waiting == f"nodes are being cleaned, waiting for {waiting} on gpu-1"


def test_a_clean_node_is_free_and_says_after_which_lease_it_was_cleaned() -> None:
    """Its Jobs go when the claim is seen to be gone: a pass that dies in between starts no step anew."""
    jobs = (a_job("wipe"), a_job("check"))
    free = plan(dirty(), jobs=jobs)
    ((_, (step,)), waiting) = free.waves, free.waiting
    assert isinstance(step, ChangeNode)
    assert step.change["metadata"]["annotations"]["sublet.dev/sanitized"] == UID
    assert step.change["spec"] == {"taints": None}
    assert waiting == ""
    assert not is_cleared([], [], [], cleaning(*jobs))
    assert said(plan(jobs=jobs)) == [f"delete sublet-sanitize/{job.name}" for job in jobs]


def test_a_step_that_fails_quarantines_its_node_alone() -> None:
    """The reason names step, Job and Kubernetes' own words; the Job stays, as evidence, and holds nothing up."""
    failed = a_job("wipe", "Failed", why="DeadlineExceeded")
    others = (a_job("wipe", node="gpu-2"), a_job("check", node="gpu-2"))
    found = plan(dirty(), dirty("gpu-2"), jobs=(failed, *others))
    assert said(found) == ["gpu-1: sublet.dev/quarantined", "gpu-2: free"]
    (step, _) = found.waves[1]
    assert isinstance(step, ChangeNode)
    assert step.change["metadata"]["annotations"] == {
        "sublet.dev/lease-uid": None,
        "sublet.dev/reusable-at": None,
        "sublet.dev/quarantined-after": UID,
        "sublet.dev/quarantine-reason": "after acme-train: the step wipe failed (DeadlineExceeded): "
        f"see the log of the Job sublet-sanitize/{failed.name}",
    }
    assert is_cleared([], [], [], cleaning(failed))
    assert said(plan(jobs=(failed,))) == []


def test_another_system_says_that_a_node_is_clean() -> None:
    """By the UID of this very lease: what it said of an earlier one counts for nothing."""
    waits = plan(dirty(sanitized_after="uid-earlier"), pool=EXTERNAL)
    assert said(waits) == []
    assert waits.waiting == f"nodes are being cleaned, waiting for annotation sublet.dev/sanitized={UID} on gpu-1"
    assert said(plan(dirty(sanitized_after=UID), pool=EXTERNAL)) == ["gpu-1: free"]


def test_what_was_said_before_the_cleaning_began_is_forgotten() -> None:
    """The mark takes the annotation off, so that nobody can call a node clean that a tenant still uses."""
    (step,) = plan(a_node("gpu-1", LEASE, sanitized_after=UID), pool=EXTERNAL).waves[1]
    assert isinstance(step, ChangeNode)
    assert step.change["metadata"]["annotations"] == {"sublet.dev/sanitized": None}


def test_a_node_that_its_owner_keeps_from_use_is_not_waited_for() -> None:
    """The quarantine stays, and with it the node; that is also how another system says that it could not clean."""
    kept = replace(dirty(), quarantined=True, taints=(LEASE_TAINT, TAINT, {"key": "sublet.dev/quarantined"}))
    assert said(plan(kept, pool=EXTERNAL)) == ["gpu-1: sublet.dev/quarantined"]


@pytest.mark.parametrize(("pool", "marks"), [(None, "sublet.dev/quarantined"), (a_pool(), "free")])
def test_a_pool_that_changed_its_mind(pool: GPUPool | None, marks: str) -> None:
    """An owner who wants no cleaning any more gets none; a pool that is gone cannot want anything."""
    assert said(plan(dirty(), pool=pool)) == [f"gpu-1: {marks}"]


def test_a_node_that_is_away_while_it_is_cleaned_is_waited_for_and_then_quarantined() -> None:
    """Whatever its Jobs say; they are deleted with the claim."""
    away = dirty(ready=False, changed_at=at(7.95))
    running = a_job("wipe", "Running")
    waits = plan(away, jobs=(running,))
    assert (said(waits), waits.waiting) == ([], "nodes that are not ready: gpu-1")
    assert said(plan(replace(away, changed_at=at(7.9)), jobs=(running,))) == ["gpu-1: sublet.dev/quarantined"]
    assert said(plan(jobs=(running,))) == [f"delete sublet-sanitize/{running.name}"]


def view(node: NodeSeen, pool: GPUPool = STEPS) -> LeaseView:
    """A pass over the lease, which has but one of its nodes left."""
    return a_lease_view(LEASE, [node], pool=pool)


@pytest.mark.parametrize(
    ("fields", "pool", "is_anew"),
    [
        ({}, STEPS, True),
        ({}, a_pool(), False),
        ({"reusable_at": at(8)}, STEPS, False),
        ({"sanitized_after": UID}, STEPS, False),
        ({"quarantined_after": UID}, STEPS, False),
        ({"lease": "other", "lease_uid": "uid-other"}, STEPS, False),
    ],
    ids=["bare", "a pool that does not clean", "given back", "cleaned", "let out of quarantine", "next lease's"],
)
def test_a_node_that_was_deleted_and_came_back(fields: dict[str, Any], pool: GPUPool, *, is_anew: bool) -> None:
    """A bare one is what the lease left, uncleaned; a node with a mark has been through a proper end."""
    assert bool(came_back_anew(view(a_node("gpu-1", **fields), pool), cleaning(pool=pool))) is is_anew


@pytest.mark.parametrize("crash_after", range(8))
def test_the_cleaning_ends_from_wherever_it_was_broken_off(crash_after: int) -> None:
    """After any number of writes the operator may die; what follows ends clean, with each step run once."""
    nodes, jobs, ran, taken = {"gpu-1": a_node("gpu-1", LEASE)}, dict[str, JobSeen](), list[str](), 0
    for _ in range(20):
        claimed = [node for node in nodes.values() if node.lease_uid]
        for step in (step for wave in plan(*claimed, jobs=tuple(jobs.values())).waves for step in wave):
            taken += 1
            if taken == crash_after:
                break  # this write, and what the pass would have done after it, never comes
            match step:
                case RunJob(manifest):
                    name, labels = manifest["metadata"]["name"], manifest["metadata"]["labels"]
                    assert name not in jobs
                    jobs[name] = a_job(labels["sublet.dev/step"])
                    ran.append(labels["sublet.dev/step"])
                case Delete("Job", name):
                    del jobs[name]
                case ChangeNode(name, change) if change["spec"]["taints"]:
                    nodes[name] = dirty(name)
                case ChangeNode(name):
                    nodes[name] = a_node(name)
                case _:
                    pytest.fail(f"unexpected: {step}")
    assert ran == ["wipe", "check"]
    assert nodes == {"gpu-1": a_node("gpu-1")}
    assert jobs == {}
