"""Measuring a node: probe pods are made, their answers are read, and they are taken away again.

One measurement at a time in a cluster: the first pod's name is the lock. Whoever finds one that has outlived its
time, or is over, takes it away; so a measurement that was killed holds up nobody for longer than its pods live.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sublet.api.pool import GPUPool
from sublet.cluster.client import Client
from sublet.cluster.kinds import NAMESPACE, NODE, POD
from sublet.doctor import pods
from sublet.doctor.checks import DIALLERS, TARGETS, Check, Facts, Pod, checks, dials_of
from sublet.doctor.judge import Answer, Finding, Verdict, judge
from sublet.doctor.pods import Image
from sublet.doctor.policies import NAMESPACES, OPEN_NAMESPACE, policies
from sublet.errors import ExistsError, NotFoundError, SubletError, UnavailableError

Raw = dict[str, Any]

_LOOK_EVERY: Final = 0.3
_UP_SECONDS: Final = 90.0
_DONE_SECONDS: Final = 60.0
_GONE_SECONDS: Final = 30.0
_NEIGHBOURS: Final = 20
_SOME: Final = 3


async def image_of(client: Client) -> Image:
    """The image of probe pods, as the chart says.

    Raises:
        UnavailableError: The chart did not make its namespaces, or they say no image.
    """
    try:
        return image_in(await client.get(NAMESPACE, OPEN_NAMESPACE))
    except NotFoundError as error:
        raise _without_chart() from error


def image_in(namespace: Raw | None) -> Image:
    """The same, where the namespace has been read."""
    notes = ((namespace or {}).get("metadata") or {}).get("annotations") or {}
    if pods.IMAGE not in notes:
        raise _without_chart()
    return Image(notes[pods.IMAGE], notes.get(pods.PULL_POLICY, "IfNotPresent"))


def _under_way() -> UnavailableError:
    return UnavailableError("another measurement is under way; try again in a minute")


def _without_chart() -> UnavailableError:
    return UnavailableError(
        f"there is no namespace {OPEN_NAMESPACE} that names an image for probe pods; upgrade Sublet's chart"
    )


async def measure(client: Client, pool: GPUPool, node: str, image: Image, now: datetime) -> tuple[Finding, ...]:
    """Measure a node under the policies of its pool's leases.

    Returns:
        The findings; what could not be measured is among them.

    Raises:
        UnavailableError: Another measurement is under way, or the API server did not answer.
    """
    await clear(client, now)
    word = secrets.token_hex(16)
    first, *others = TARGETS
    try:
        await client.create(pods.target(first, node, image, word))
    except ExistsError as error:
        raise _under_way() from error
    try:
        for manifest in policies(pool):
            await client.apply(manifest)
        for each in others:
            await client.create(pods.target(each, node, image, word))
        up = await _until(client, TARGETS, _is_up, _UP_SECONDS)
        if problem := _problem(up, TARGETS, _is_up):
            return (Finding("probe-pods", Verdict.UNKNOWN, problem, "see that the node runs pods and pulls the image"),)
        every = checks(await _facts(client, node, up, word))
        for each in DIALLERS:
            await client.create(pods.dialler(each, node, image, dials_of(each, every)))
        over = await _until(client, DIALLERS, _is_over, _DONE_SECONDS + _UP_SECONDS)
        return _findings(every, over)
    finally:
        await _delete(client, await _pods(client))


async def clear(client: Client, now: datetime) -> None:
    """Take away what a measurement left that was killed.

    Raises:
        UnavailableError: One is under way.
    """
    left = await _pods(client)
    if any(_name(pod) == TARGETS[0] and not _is_over(pod) and not _is_left(pod, now) for pod in left):
        raise _under_way()
    await _delete(client, left)
    await _until_gone(client, {pod["metadata"]["uid"] for pod in left})


async def clear_if_idle(client: Client, now: datetime) -> None:
    """The same for whoever only looks by; what cannot be taken away now can be the next time."""
    with suppress(UnavailableError):
        await clear(client, now)


async def _delete(client: Client, doomed: Iterable[Raw]) -> None:
    """The lock goes last. At once: on a node that is away a pod with time to stop would hold its name for ever."""
    for pod in sorted(doomed, key=lambda pod: _name(pod) == TARGETS[0]):
        metadata = pod["metadata"]
        await client.delete(POD, metadata["name"], metadata["namespace"], uid=metadata["uid"], grace_seconds=0)


def _name(pod: Raw) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _findings(every: tuple[Check, ...], over: Mapping[Pod, Raw]) -> tuple[Finding, ...]:
    findings = judge(every, {pod: answer for pod in DIALLERS if (answer := _answer(over.get(pod))) is not None})
    problem = _problem(over, DIALLERS, _is_over)
    return (Finding("probe-pods", Verdict.UNKNOWN, problem), *findings) if problem else findings


def _answer(pod: Raw | None) -> Answer | None:
    for status in ((pod or {}).get("status") or {}).get("containerStatuses") or ():
        ended = (status.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode") != 0:
            return None
        try:
            document = json.loads(ended.get("message") or "")
        except ValueError:
            return None
        return Answer.read(document) if isinstance(document, dict) else None
    return None


async def _facts(client: Client, node: str, up: Mapping[Pod, Raw], word: str) -> Facts:
    addresses = {pod: _addresses(up[pod]["status"], "podIPs", "podIP") for pod in TARGETS}
    own = _addresses(up[TARGETS[0]]["status"], "hostIPs", "hostIP")
    neighbours = await client.list(NODE, limit=str(_NEIGHBOURS))
    return Facts(addresses, own, _other_nodes(neighbours["items"], node), word)


def _addresses(status: Raw, several: str, one: str) -> tuple[str, ...]:
    return tuple(each["ip"] for each in status.get(several) or ()) or (status[one],)


def _other_nodes(nodes: Iterable[Raw], name: str) -> tuple[str, ...]:
    """The addresses of some nodes beside the one that is measured."""
    others = [node for node in nodes if node["metadata"]["name"] != name and _is_ready(node)]
    return tuple(
        each["address"]
        for node in others[:_SOME]
        for each in node["status"].get("addresses") or ()
        if each["type"] == "InternalIP"
    )


def _is_ready(node: Raw) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def _until(
    client: Client, wanted: Collection[Pod], there: Callable[[Raw], bool], seconds: float
) -> dict[Pod, Raw]:
    """The wanted pods as soon as all are `there` or one is lost, or as they are when the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        seen = {_name(pod): pod for pod in await _pods(client)}
        found = {pod: seen[pod.value] for pod in wanted if pod.value in seen}
        is_settled = len(found) < len(wanted) or all(there(pod) or _is_over(pod) for pod in found.values())
        if is_settled or loop.time() > deadline:
            return found
        await asyncio.sleep(_LOOK_EVERY)


async def _until_gone(client: Client, uids: set[str]) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _GONE_SECONDS
    while uids & {pod["metadata"]["uid"] for pod in await _pods(client)}:
        if loop.time() > deadline:
            raise UnavailableError("what an earlier measurement left does not go; delete the pods in sublet-doctor-*")
        await asyncio.sleep(_LOOK_EVERY)


async def _pods(client: Client) -> list[Raw]:
    try:
        answers = [await client.list(POD, namespace) for namespace in NAMESPACES]
    except SubletError as error:
        raise UnavailableError(f"the probe pods cannot be listed: {error}") from error
    return [pod for answer in answers for pod in answer["items"]]


def _is_up(pod: Raw) -> bool:
    status = pod.get("status") or {}
    return bool(status.get("podIP")) and status.get("phase") == "Running"


def _is_over(pod: Raw) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def _is_left(pod: Raw, now: datetime) -> bool:
    """Whether a pod is older than any that a measurement still waits for; its node may be away."""
    age = now - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return age > timedelta(seconds=pods.LIFETIME_SECONDS)


def _problem(found: Mapping[Pod, Raw], wanted: Iterable[Pod], there: Callable[[Raw], bool]) -> str:
    """Why a pod did not come as far as it should; empty if all did."""
    for pod in wanted:
        seen = found.get(pod)
        if seen is None:
            return f"the probe pod {pod.value} was deleted by somebody"
        failed = there is _is_over and _answer(seen) is None
        if not there(seen) or failed:
            return f"the probe pod {pod.value} did not {'answer' if failed else 'start'}: {_why(seen)}"
    return ""


def _why(pod: Raw) -> str:
    """In the words of scheduler and kubelet."""
    status = pod.get("status") or {}
    for container in status.get("containerStatuses") or ():
        for state in ((container.get("state") or {}).get(kind) or {} for kind in ("waiting", "terminated")):
            if state.get("reason"):
                return f"{state['reason']} {state.get('message') or ''}".strip()[:300]
    for condition in status.get("conditions") or ():
        if condition.get("status") == "False" and condition.get("message"):
            return str(condition["message"])[:300]
    return f"it is {status.get('phase') or 'nowhere'}"
