"""The table of the Multi-Tenancy Benchmarks: whole, used, and the one that the documentation shows."""

from pathlib import Path

from sublet.guards.attacks import pods, quota
from sublet.guards.attacks.benchmarks import BENCHMARKS
from sublet.guards.catalogue import ATTACKS

DOCUMENT = Path(__file__).parents[3] / "docs" / "security.md"
EVERY = (*ATTACKS, *pods.ON_RESTRICTED, *pods.UNAIDED, *(line.attack for line in quota.LINES))


def test_every_check_is_there_once_and_has_an_attack() -> None:
    """Nineteen were written, and four announced."""
    ids = [each.id for each in BENCHMARKS]
    assert len(ids) == len(set(ids)) == 19 + 4
    assert [each.id for each in BENCHMARKS if not each.of(EVERY)] == []


def test_every_id_of_the_benchmarks_that_an_attack_bears_is_one_of_theirs() -> None:
    assert {i for attack in EVERY for i in attack.ids if i.startswith("MTB-")} == {each.id for each in BENCHMARKS}


def test_the_documentation_says_how_a_lease_stands_to_each() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| MTB-")]
    assert rows == [f"| {each.id} | {each.title} | {each.verdict.capitalize()} |" for each in BENCHMARKS]
