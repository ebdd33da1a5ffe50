"""What the end of a lease says of volumes that are still there."""

import pytest

from sublet.plan.observed import VolumeSeen
from sublet.plan.volumes import awaited, stuck
from tests.builders import a_volume

RETAINED = (
    "the volume pv-1 is kept by its reclaim policy Retain: "
    "set its spec.persistentVolumeReclaimPolicy to Delete, or delete it and the storage behind it"
)
FAILED = (
    "the volume pv-1 could not be deleted (phase Failed): "
    "see `kubectl describe pv` for why, then delete it and the storage behind it"
)
GOING = "volumes still being deleted: {}; if one stays, see the events of `kubectl describe pv`"


@pytest.mark.parametrize(
    ("volumes", "said", "is_stuck"),
    [
        ([a_volume()], GOING.format("pv-1"), False),
        ([a_volume(phase="Bound"), a_volume("pv-2", leaving=True)], GOING.format("pv-1, pv-2"), False),
        ([a_volume(reclaim_policy="Retain")], RETAINED, True),
        ([a_volume(phase="Failed")], FAILED, True),
        ([a_volume("pv-0"), a_volume(reclaim_policy="Retain")], f"{RETAINED}; 1 more volumes are left", True),
        ([a_volume(reclaim_policy="Retain", leaving=True)], GOING.format("pv-1"), False),
        (
            [a_volume(f"pv-{number}") for number in range(9)],
            GOING.format("pv-0, pv-1, pv-2, pv-3, pv-4"),
            False,
        ),
    ],
    ids=["released", "on their way", "retained", "failed", "one of two", "retained and deleted by hand", "many"],
)
def test_what_is_waited_for_is_named_with_what_to_do(volumes: list[VolumeSeen], said: str, *, is_stuck: bool) -> None:
    """A volume that nothing will delete comes first, with who has to do what."""
    assert awaited(volumes) == said
    assert bool(stuck(volumes)) is is_stuck
