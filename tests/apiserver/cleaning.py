"""Words for the cleaning of nodes: pools that clean, and Jobs that a test holds up, lets run or lets fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sublet.cluster import kinds
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

Raw = dict[str, Any]

CLEANERS = "sublet-sanitize"
LEASE_TAINT, CLEANING, QUARANTINED = "sublet.dev/lease", "sublet.dev/sanitizing", "sublet.dev/quarantined"
ALLOWED = ("-n", CLEANERS)


def steps(*names: str, account: str = "default") -> Raw:
    """The field `sanitize` with such steps. Pods of an account that does not exist are not made: the step hangs."""
    pod = {"serviceAccountName": account, "containers": [{"name": "main", "image": "images.test/sanitize:1"}]}
    template = {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}
    return {"steps": [{"name": name, "timeout": "10m", "template": template} for name in names]}


async def jobs(site: Site) -> list[Raw]:
    """The Jobs that clean after leases of a site."""
    found = (await site.admin.list(kinds.JOB, CLEANERS, labelSelector=LEASE_TAINT))["items"]
    return [job for job in found if job["metadata"]["labels"][LEASE_TAINT].startswith(site.prefix + "-")]


def node_of(job: Raw) -> str:
    """The node that a Job cleans."""
    return str(job["spec"]["template"]["spec"]["nodeName"])


async def running(site: Site, count: int) -> list[Raw]:
    """Wait until so many Jobs are there that have not ended, and return them in the order of their nodes."""

    async def look() -> list[Raw] | None:
        found = [job for job in await jobs(site) if not has_ended(job)]
        return found if len(found) == count else None

    return sorted(await eventually(look, f"{count} Jobs clean"), key=node_of)


def has_ended(job: Raw) -> bool:
    """Whether a Job has come to its end, good or bad."""
    return any(
        c["status"] == "True" for c in job["status"].get("conditions", ()) if c["type"] in {"Complete", "Failed"}
    )


@contextmanager
def account(kubectl: Tool, name: str) -> Iterator[None]:
    """A ServiceAccount, which lets the pods be made that hang for want of it."""
    kubectl("create", "serviceaccount", name, *ALLOWED)
    try:
        yield
    finally:
        kubectl("delete", "serviceaccount", name, *ALLOWED)


def let_fail(kubectl: Tool, job: Raw) -> None:
    """End a Job that hangs, by its time."""
    change = json.dumps({"spec": {"activeDeadlineSeconds": 1}})
    kubectl("patch", "job", job["metadata"]["name"], *ALLOWED, "--type=merge", "-p", change)


async def marks(site: Site, node: str) -> set[str]:
    """The keys of the taints of a node."""
    return {taint["key"] for taint in (await site.admin.get(kinds.NODE, node))["spec"].get("taints", ())}


async def annotation(site: Site, node: str, key: str) -> str | None:
    """What a node's annotation of ours says."""
    found: str | None = (
        (await site.admin.get(kinds.NODE, node))["metadata"].get("annotations", {}).get(f"sublet.dev/{key}")
    )
    return found
