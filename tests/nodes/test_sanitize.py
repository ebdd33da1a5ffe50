"""Steps that really run on a node find and remove what a tenant left, or the node is nobody's any more."""

import time
from collections.abc import Iterator

import pytest

from hack.cluster.realnodes import SANITIZE, TENANT, run
from sublet.cluster import kinds
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.site import eventually
from tests.apiserver.test_main_job import condition
from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.leftovers import SCRATCH, STEPS, files, images, plant, step, stray, there
from tests.nodes.workloads import pod


@pytest.fixture
def usable(kubectl: Tool) -> Iterator[None]:
    """The nodes are for sale again afterwards, whatever the test made of them."""
    yield
    for node in ("real-000", "real-001"):
        kubectl("taint", "node", node, "sublet.dev/quarantined-", *BREAK_GLASS, check=False)
        kubectl("annotate", "node", node, "sublet.dev/reusable-at-", *BREAK_GLASS)
    kubectl("delete", "jobs", "--all", "--namespace", "sublet-sanitize")


def work(kubectl: Tool, namespace: str) -> None:
    """Run a pod of the tenant's, so that its image is on the node."""
    kubectl("create", "--namespace", namespace, "-f", "-", input=pod("train", "sleep"))
    kubectl("wait", "--namespace", namespace, "--for=condition=Ready", "pod/train", "--timeout=20s")


@pytest.mark.usefixtures("usable")
async def test_what_a_tenant_left_is_gone_before_the_next_one_comes(site: RealSite, alice: Tool, bob: Tool) -> None:
    """Volumes, shared memory, files, logs, images and processes; of a node that was not leased nothing is touched."""
    state = site.cluster.state
    await site.pool(NODES, sanitize={"steps": STEPS}, **QUICK)
    namespace, node = await site.rent()
    (other,) = {"real-000", "real-001"} - {node}
    work(alice, namespace)
    for each in (node, other):
        plant(state, each)
        assert there(state, each) == list(files())
    with stray(state, node) as left, stray(state, other) as others:
        assert TENANT in images(state, node)
        await site.edit("a", release=True)
        ended = await site.reach("a", "Ended")
        assert left.wait(timeout=1) == -9
        assert others.poll() is None

    assert condition(ended, "Sanitized") == ("True", "Sanitized", "the nodes were cleaned and are back in the pool")
    assert there(state, node) == []
    # Logs of pods that it does not know a kubelet removes itself, every minute.
    assert {*files()} - {*there(state, other)} <= {path for path in files() if path.startswith("/var/log/pods/")}
    # What was in use when images were removed, by the cleaner itself too.
    assert images(state, node) == {"images.test/pause:1", "images.test/coredns:1", SANITIZE}
    assert "taints" not in (await site.admin.get(kinds.NODE, node))["spec"]
    assert site.running("sublet-sanitize") == []

    globex = {"name": "globex", "subjects": [{"kind": "User", "name": "bob@globex.example"}]}
    await site.lease("b", nodes=2, tenant=globex)
    status = (await site.reach("b", "Active"))["status"]
    work(bob, status["namespaces"][0])
    await site.admin.patch(kinds.GPU_POOL, site.prefix, {"spec": {"sanitize": None}})  # that will do


@pytest.mark.usefixtures("usable")
async def test_what_cannot_be_removed_keeps_the_node_from_use(site: RealSite, kubectl: Tool, alice: Tool) -> None:
    """A file system that became read-only: the node is quarantined; kubectl says by which step, and what is left."""
    state = site.cluster.state
    await site.pool(NODES, sanitize={"steps": [step("files", "files", f"{SCRATCH}/*", host=(SCRATCH,))]}, **QUICK)
    namespace, node = await site.rent()
    work(alice, namespace)
    run(state, node, "mkdir", "-p", SCRATCH)
    run(state, node, "mount", "-t", "tmpfs", "broken", SCRATCH)
    plant(state, node)
    run(state, node, "mount", "-o", "remount,ro", SCRATCH)
    try:
        await site.edit("a", release=True)
        ended = await site.reach("a", "Ended")
    finally:
        run(state, node, "umount", SCRATCH)

    assert condition(ended, "Sanitized")[:2] == ("False", "SanitizingFailed")
    seen = kubectl("describe", "node", node).stdout
    (job,) = kubectl("get", "jobs", "-n", "sublet-sanitize", "-o", "name").stdout.split()
    name = job.removeprefix("job.batch/")
    assert "sublet.dev/quarantined:NoExecute" in seen
    assert f"after {site.name('a')}: the step files failed (BackoffLimitExceeded): " in seen
    assert f"see the log of the Job sublet-sanitize/{name}" in seen
    told = kubectl("describe", "gl", site.name("a")).stdout
    assert "SanitizingFailed" in told
    log = kubectl("logs", "-n", "sublet-sanitize", job).stdout
    assert f"cannot be removed: unlinkat {SCRATCH}/left: read-only file system" in log

    await site.lease("b", nodes=2)
    await _waits(site)


async def test_a_step_that_hangs_is_stopped_by_its_time(site: RealSite, kubectl: Tool, usable: None) -> None:  # noqa: ARG001
    """The kubelet stops it, the node is quarantined, and the other one of the lease is back."""
    hangs = step("hangs", "files", "/nothing/*", terminationGracePeriodSeconds=1)
    hangs["template"]["spec"]["template"]["spec"]["containers"][0] |= {"image": TENANT, "args": ["ignore-term"]}
    await site.pool(NODES, sanitize={"steps": [{**hangs, "timeout": "3s"}]}, **QUICK)
    _, node = await site.rent()
    began = time.monotonic()
    await site.edit("a", release=True)
    ended = await site.reach("a", "Ended")
    assert time.monotonic() - began >= 3
    assert "the step hangs failed (DeadlineExceeded): " in condition(ended, "Sanitized")[2]
    assert "sublet.dev/quarantined:NoExecute" in kubectl("describe", "node", node).stdout


async def _waits(site: RealSite) -> None:
    async def look() -> object:
        status = (await site.see("b")).get("status", {})
        return status.get("queue") and not status.get("startsAt")

    await eventually(look, "b waits")
