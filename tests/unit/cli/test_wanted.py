"""What a quote is asked for: every word that cannot be understood is named in one sentence."""

import argparse
import io
from pathlib import Path

import pytest

from sublet.api.lease import GPULeaseSpec, PlacementMode, Term
from sublet.cli.wanted import UNNAMED, UsageError, declare, in_flags, wanted
from tests.builders import at

LEASE = """
apiVersion: sublet.dev/v1alpha1
kind: GPULease
metadata: {name: acme-train, labels: {team: a}}
spec:
  pool: h100
  tenant: {name: acme, subjects: [{kind: User, name: anna@acme.example}]}
  nodes: 4
  start: 2026-12-01T13:00:00Z
  duration: 7d
"""


def asked(*words: str) -> tuple[str, GPULeaseSpec]:
    """What the words ask for."""
    parser = argparse.ArgumentParser()
    declare(parser)
    return wanted(parser.parse_args(words))


def refused(*words: str) -> str:
    """The sentence that refuses them."""
    with pytest.raises(UsageError) as caught:
        asked(*words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_flags_are_the_fields_of_a_lease() -> None:
    """Every flag has its field."""
    times = ("--start", "2026-12-01T13:00:00Z", "--latest-start", "2026-12-01T14:00:00Z", "--duration", "1h30m")
    name, spec = asked(
        "h100", "--gpus", "16", *times, "--term", "Interruptible", "--level", "example.com/rack", "--required"
    )
    assert name == UNNAMED
    assert (spec.pool, spec.gpus, spec.nodes) == ("h100", 16, None)
    assert (spec.start, spec.latest_start, spec.duration) == (at(1), at(2), at(1.5) - at(0))
    assert spec.term is Term.INTERRUPTIBLE
    assert spec.placement is not None
    assert spec.placement.mode is PlacementMode.REQUIRED


def test_a_placement_is_a_preference_unless_it_is_required() -> None:
    """As in a manifest."""
    _, spec = asked("h100", "--nodes", "1", "--end", "2026-12-01T13:00:00Z", "--level", "example.com/rack")
    assert spec.placement is not None
    assert (spec.end, spec.placement.mode) == (at(1), PlacementMode.PREFERRED)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "POOL: missing; name a pool, or give a manifest with -f"),
        (("h100", "--duration", "1d"), "the size is missing: set --nodes to a number of nodes, or --gpus to"),
        (("h100", "--nodes", "1", "--gpus", "8", "--duration", "1d"), "--nodes and --gpus are both set: keep one"),
        (("h100", "--nodes", "0", "--duration", "1d"), "--nodes: '0': input should be greater than or equal to 1"),
        (("h100", "--nodes", "10001", "--duration", "1d"), "--nodes: '10001': input should be less than or equal to"),
        (("h100", "--gpus", "many", "--duration", "1d"), "--gpus: 'many': input should be a valid integer"),
        (("h100", "--nodes", "1"), "the lease has no end: set --duration, for example 7d, or --end"),
        (("h100", "--nodes", "1", "--duration", "week"), "--duration: 'week' is no duration: write days, hours"),
        (("h100", "--nodes", "1", "--end", "tomorrow"), "--end: 'tomorrow' is no instant: write it as 2026-"),
        (("h100", "--nodes", "1", "--duration", "1d", "--latest-start", "2026-12-01T12:00:00Z"), "--latest-start nee"),
        (("h100", "--nodes", "1", "--duration", "1d", "--term", "Cheap"), "--term: 'Cheap': input should be 'Firm' or"),
        (("h100", "--nodes", "1", "--duration", "1d", "--level", "a b"), "--level: 'a b': string should match"),
        (("h100", "--nodes", "1", "--duration", "1d", "--required"), "--required: needs --level, the topology level"),
        (("H100", "--nodes", "1", "--duration", "1d"), "POOL: 'H100': string should match pattern"),
        (("h100", "-f", "lease.yaml"), "-f: gives the whole lease; leave out POOL"),
        (("-f", "lease.yaml", "--nodes", "1"), "-f: gives the whole lease; leave out --nodes"),
        (("-f", "lease.yaml", "--required"), "-f: gives the whole lease; leave out --required"),
        (("-f", "no/such/file"), "-f: no/such/file cannot be read: [Errno 2] No such file or directory"),
    ],
)
def test_bad_words_are_named(words: tuple[str, ...], sentence: str) -> None:
    """Flag first, then what is wrong, or what to write."""
    assert refused(*words).startswith(sentence)


def test_a_manifest_gives_the_whole_lease(tmp_path: Path) -> None:
    """Other documents in the file, and metadata, are passed over."""
    file = tmp_path / "lease.yaml"
    file.write_text("kind: Namespace\n---\n" + LEASE)
    name, spec = asked("-f", str(file))
    assert (name, spec.pool, spec.nodes, spec.start) == ("acme-train", "h100", 4, at(1))


def test_a_manifest_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """As kubectl does."""
    monkeypatch.setattr("sys.stdin", io.StringIO(LEASE))
    assert asked("-f", "-")[0] == "acme-train"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("kind: GPULease", "kind: GPUPool", "-f: - must hold one GPULease of sublet.dev/v1alpha1"),
        ("v1alpha1", "v9", "-f: - must hold one GPULease of sublet.dev/v1alpha1"),
        ("name: acme-train,", "", "metadata.name: missing"),
        ("acme-train", "Acme", "metadata.name becomes part of the names of namespaces"),
        ("nodes: 4", "node: 4", "spec.node: there is no such field"),
        ("nodes: 4", "nodes: 0", "spec.nodes: 0: input should be greater than or equal to 1"),
        ("duration: 7d", "latest_start: 7d", "spec.latest_start: there is no such field"),
        ("duration: 7d", "end: 2026-12-01T13:00:00Z", "spec.end is not after spec.start"),
        ("  pool: h100\n", "", "spec.pool: missing"),
        ("kind: User", "kind: Robot", "spec.tenant.subjects[0].kind: 'Robot': input should be 'User' or 'Group'"),
        ("spec:", "spec: [", "-f: - cannot be read: "),
        ("spec:", "sepc:", "spec: None: input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named_by_its_field(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str, sentence: str
) -> None:
    """The field first; a misspelt one is not passed over."""
    assert old in LEASE
    monkeypatch.setattr("sys.stdin", io.StringIO(LEASE.replace(old, new)))
    assert refused("-f", "-").startswith(sentence)


def test_a_refusal_speaks_of_flags() -> None:
    """Fields that no flag gives keep their name."""
    assert in_flags("spec.nodes: 9 asked for") == "--nodes: 9 asked for"
    assert in_flags("spec.placement.level: r is no level") == "--level: r is no level"
    assert in_flags("spec.extendableUntil is before spec.end") == "spec.extendableUntil is before --end"
