"""Quotes and free capacity on a real cluster: what is quoted is what is booked, and asking changes nothing."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest

from sublet.api.scalars import format_timestamp, parse_timestamp
from sublet.clock import SystemClock
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

Raw = dict[str, Any]

_VIEWER = "system:serviceaccount:default:quote-viewer"


async def sublet(kubeconfig: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command with somebody's credentials."""
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    command = [sys.executable, "-m", "sublet", *words]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def stranger(kubectl: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of somebody without a right."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json").stdout)
    kubectl("create", "serviceaccount", "quote-viewer", "-n", "default")
    token = kubectl("create", "token", "quote-viewer", "-n", "default").stdout.strip()
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": {"token": token}}]
    path = tmp_path_factory.mktemp("viewer") / "kubeconfig"
    path.write_text(json.dumps(config))
    yield path
    kubectl("delete", "serviceaccount", "quote-viewer", "-n", "default")


@pytest.fixture
def viewer(kubectl: Tool, stranger: Path) -> Iterator[Path]:
    """The kubeconfig of somebody with the chart's role for viewers, and nothing else."""
    binding = ("clusterrolebinding", "quote-viewer")
    kubectl("create", *binding, "--clusterrole", "sublet-viewer", "--serviceaccount", "default:quote-viewer")
    yield stranger
    kubectl("delete", *binding)


def in_hours(hours: float) -> datetime:
    """An instant ahead, to the minute."""
    return (SystemClock().now() + timedelta(hours=hours)).replace(second=0, microsecond=0)


async def busy_site(site: Site) -> datetime:
    """Four nodes: two leased for an hour, two reserved, three waited for, all kept from the time that is returned."""
    window = in_hours(8)
    schedule = {"start": f"{window:%M} {window:%H} * * *", "duration": "2h", "nodes": 4}
    pricing = {"currency": "EUR", "firm": "2.50"}
    await site.pool(nodes=4, ownerFloor={"windows": [schedule]}, pricing=pricing)
    await site.lease("running")
    await site.reach("running", "Active")
    await site.lease("reserved", start=format_timestamp(in_hours(3)), duration="1h")
    await site.reach("reserved", "Reserved")
    await site.lease("waiting", nodes=3, duration="30m")
    await site.reach("waiting", "Queued")
    return window


def manifest(site: Site, lease: str, folder: Path, **spec: object) -> Path:
    """The file of a lease that nobody applied."""
    tenant = {"name": "acme", "subjects": [{"kind": "User", "name": "alice@acme.example"}]}
    raw = {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPULease",
        "metadata": {"name": site.name(lease)},
        "spec": {"pool": site.prefix, "tenant": tenant, **spec},
    }
    path = folder / f"{lease}.yaml"
    path.write_text(json.dumps(raw))
    return path


async def test_what_is_quoted_is_booked_exactly_so(site: Site, viewer: Path, tmp_path: Path) -> None:
    """Nodes, start, end and price of a reservation are those that were quoted to somebody who may only read."""
    await busy_site(site)
    spec = {"nodes": 2, "start": format_timestamp(in_hours(3)), "duration": "1h"}

    done = await sublet(viewer, "quote", "-f", str(manifest(site, "new", tmp_path, **spec)), "-o", "json")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    offer = answer["offers"][0]
    assert (answer["standing"], offer["asAsked"]) == ("Reserved", True)
    await site.lease("new", **spec)
    status = (await site.reach("new", "Reserved"))["status"]
    assert offer["nodes"] == status["nodes"]
    assert (offer["start"], offer["end"]) == (status["startsAt"], status["endsAt"])
    assert (offer["nodeCount"], offer["gpus"], offer["quote"]) == (status["nodeCount"], status["gpus"], status["quote"])


async def test_whoever_waits_already_comes_first(site: Site, viewer: Path) -> None:
    """A lease that does not fit before the queue is quoted its place in it and the start that the operator plans."""
    await busy_site(site)

    done = await sublet(viewer, "quote", site.prefix, "--nodes", "2", "--duration", "2h", "-o", "json")

    answer = json.loads(done.stdout)
    assert (done.returncode, answer["standing"], answer["queuePosition"]) == (0, "Queued", 2)
    await site.lease("new", duration="2h")

    async def look() -> Raw | None:
        found: Raw | None = (await site.see("new")).get("status", {}).get("queue")
        return found

    queue = await eventually(look, "the new lease has its place in the queue")
    assert (queue["position"], queue["earliestStart"]) == (2, answer["offers"][0]["start"])


async def test_an_offer_is_kept_by_whoever_writes_it_down(site: Site, viewer: Path) -> None:
    """Another offer than the one asked for is booked too, on the nodes named, by its own nodes, start and end."""
    window = await busy_site(site)

    done = await sublet(viewer, "quote", site.prefix, "--nodes", "2", "--duration", "2h", "-o", "json")

    offers = json.loads(done.stdout)["offers"]
    assert all(
        not (parse_timestamp(o["start"]) < window + timedelta(hours=2) and window < parse_timestamp(o["end"]))
        for o in offers
    )
    offer = next(o for o in offers if not o["asAsked"] and parse_timestamp(o["start"]) > SystemClock().now())
    await site.lease("new", nodes=offer["nodeCount"], start=offer["start"], end=offer["end"])
    status = (await site.reach("new", "Reserved"))["status"]
    assert (status["nodes"], status["startsAt"], status["endsAt"]) == (offer["nodes"], offer["start"], offer["end"])


async def test_a_start_that_cannot_be_had_is_refused_in_the_operators_words(
    site: Site, viewer: Path, tmp_path: Path
) -> None:
    """The owner's window is kept: exit code 1, and the sentence that the status of the lease then has."""
    window = await busy_site(site)
    spec = {"nodes": 1, "start": format_timestamp(window), "duration": "1h"}

    done = await sublet(viewer, "quote", "-f", str(manifest(site, "new", tmp_path, **spec)), "-o", "json")

    refusal = json.loads(done.stdout)["refusal"]
    assert (done.returncode, refusal["reason"]) == (1, "NoRoom")
    await site.lease("new", **spec)
    assert (await site.reach("new", "Refused"))["status"]["message"] == refusal["message"]


async def test_policy_refuses_in_its_own_words(site: Site, viewer: Path, tmp_path: Path) -> None:
    """More nodes than the pool has: for a person on standard output, for fields as fields and for flags as flags."""
    await site.pool(nodes=2)
    file = manifest(site, "new", tmp_path, nodes=9, duration="1h")
    sentence = f"9 asked for, but the pool {site.prefix} has 2 nodes for sale; ask for at most 2"

    by_file = await sublet(viewer, "quote", "-f", str(file))
    by_flags = await sublet(viewer, "quote", site.prefix, "--nodes", "9", "--duration", "1h")

    assert (by_file.returncode, " ".join(by_file.stdout.split())) == (1, f"spec.nodes: {sentence}")
    assert (by_flags.returncode, " ".join(by_flags.stdout.split())) == (1, f"--nodes: {sentence}")


async def test_asking_reads_four_lists_and_nothing_else(site: Site, viewer: Path) -> None:
    """The API server's own log has no other request of the person who asked."""
    await site.pool(nodes=2)
    log = site.cluster.state.logs / "audit.jsonl"
    before = len(log.read_text())

    quoted = await sublet(viewer, "quote", site.prefix, "--nodes", "1", "--duration", "1h")
    shown = await sublet(viewer, "availability", site.prefix)

    assert (quoted.returncode, shown.returncode) == (0, 0)
    entries = [json.loads(line) for line in log.read_text()[before:].splitlines()]
    asked = [(e["verb"], e["objectRef"]["resource"]) for e in entries if e["user"]["username"] == _VIEWER]
    lists = ("gpuleases", "gpupools", "nodes", "storageclasses")
    assert sorted(set(asked)) == [("list", resource) for resource in lists]


async def test_availability_is_what_can_be_leased(site: Site, viewer: Path) -> None:
    """Bookings, cleaning, the queue and the owner's window are out; a span with enough nodes can be leased whole."""
    window = await busy_site(site)

    table = await sublet(viewer, "availability", site.prefix, "--days", "1")
    done = await sublet(viewer, "availability", site.prefix, "--days", "1", "--nodes", "4", "-o", "json")

    header, *rows = table.stdout.splitlines()[2:]
    assert header.split() == ["FROM", "TO", "LENGTH", "NODES", "GPUS"]
    assert rows[0].split()[3:] == ["2", "16"]
    assert max(len(line) for line in table.stdout.splitlines()) <= 80
    spans = [(parse_timestamp(each["start"]), parse_timestamp(each["end"])) for each in json.loads(done.stdout)["free"]]
    assert all(end <= window - timedelta(minutes=1) or start >= window + timedelta(hours=2) for start, end in spans)
    start, end = next((start, end) for start, end in spans if end == window - timedelta(minutes=1))
    await site.lease("new", nodes=4, start=format_timestamp(start), end=format_timestamp(end))
    await site.reach("new", "Reserved")


async def test_calendars_can_be_read_by_others(site: Site, viewer: Path) -> None:
    """Both commands write iCalendar that a library reads, with one event for each row."""
    await site.pool(nodes=2)
    what = (("quote", site.prefix, "--nodes", "1", "--duration", "1h"), ("availability", site.prefix))
    for words in what:
        done = await sublet(viewer, *words, "-o", "ical")
        events = icalendar.Calendar.from_ical(done.stdout).events
        assert events
        assert all(event.start < event.end for event in events)
        assert len({str(event["UID"]) for event in events}) == len(events)


async def test_without_rights_one_sentence_says_what_is_missing(site: Site, stranger: Path) -> None:
    """The API server's own sentence, and the role that would do."""
    for words in (("quote", site.prefix, "--nodes", "1", "--duration", "1h"), ("availability", site.prefix)):
        done = await sublet(stranger, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"sublet {words[0]}: gpuleases.sublet.dev is forbidden: "
            f'User "{_VIEWER}" cannot list resource "gpuleases" in API group "sublet.dev" at the cluster scope; '
            "the ClusterRole sublet-viewer allows it\n"
        )


async def test_bad_words_exit_with_two(site: Site, viewer: Path, tmp_path: Path) -> None:
    """One sentence on standard error that names the flag and the limit."""
    await site.pool(nodes=2)
    await site.lease("a")
    bad = {
        (
            "availability",
            site.prefix,
            "--nodes",
            "3",
        ): f"--nodes: '3' given, but it must be a whole number from 1 to 2; "
        f"the pool {site.prefix} has 2 nodes for sale",
        (
            "availability",
            site.prefix,
            "--days",
            "99",
        ): "--days: '99' given, but it must be a whole number from 1 to 56; the pool sells 56d ahead",
        ("availability", site.prefix, "--from", "2020-01-01T00:00:00Z"): "--from: 2020-01-01T00:00:00Z has passed; "
        "give a later time, or leave it out for now",
        ("availability", site.prefix, "--from", "2999-01-01T00:00:00Z"): "--from: further ahead than the 56d for "
        "which the pool sells",
        ("availability", "no-such-pool"): "POOL: there is no GPUPool no-such-pool; name one of `kubectl get gpupools`",
        ("quote", "-f", str(manifest(site, "a", tmp_path, nodes=1, duration="1h"))): "metadata.name: there is a lease "
        f"{site.name('a')} already; give another name, or see its status",
        ("quote", site.prefix, "--nodes", "1"): "the lease has no end: set --duration, for example 7d, or --end",
    }
    for words, sentence in bad.items():
        done = await sublet(viewer, *words)
        assert (done.returncode, done.stderr) == (2, f"sublet {words[0]}: {sentence}\n")


async def test_a_pool_that_is_not_accepted_sells_nothing(site: Site, viewer: Path) -> None:
    """Neither command plans with a pool that the operator would not sell from."""
    await site.pool(nodes=2, isolation={"minToolkitVersion": "1.17.8"})

    shown = await sublet(viewer, "availability", site.prefix)
    quoted = await sublet(viewer, "quote", site.prefix, "--nodes", "1", "--duration", "1h")

    assert (shown.returncode, quoted.returncode) == (1, 1)
    assert "spec.isolation.minToolkitVersion: not enforced by this version of Sublet" in " ".join(shown.stderr.split())
    assert "spec.isolation.minToolkitVersion: not enforced by this version of Sublet" in " ".join(quoted.stdout.split())
