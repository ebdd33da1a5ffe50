"""Which StorageClasses tenants may have: those that exist, make new volumes, and delete them with their claims."""

import pytest

from sublet.policy import pools, storage
from sublet.policy.storage import ClassSeen
from tests.builders import a_pool

GOOD = ClassSeen("Delete", "csi.example.com")
POOL = a_pool(isolation={"storage_classes": ["good", "nvme"]})


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (None, "there is no StorageClass nvme; create it, or take the name off the list"),
        (
            ClassSeen("Retain", "csi.example.com"),
            (
                "the StorageClass nvme has reclaimPolicy Retain, so tenants' data would stay; "
                "offer one with reclaimPolicy Delete"
            ),
        ),
        (
            ClassSeen("Delete", "kubernetes.io/no-provisioner"),
            (
                "the StorageClass nvme makes no volumes (kubernetes.io/no-provisioner), so claims would take what is "
                "there; offer one with a provisioner"
            ),
        ),
        (
            ClassSeen("Delete", "csi.example.com", "pv-of-the-owner"),
            (
                "the volume pv-of-the-owner of the StorageClass nvme is free, so a tenant's claim would get it with "
                "all that is on it; delete it, or give it another class"
            ),
        ),
    ],
    ids=["missing", "kept", "by hand", "a free volume"],
)
def test_a_class_that_is_not_safe_is_neither_sold_nor_given(seen: ClassSeen | None, said: str) -> None:
    """The pool is not accepted, and a lease that runs keeps the other class alone."""
    classes = {"good": GOOD} | ({"nvme": seen} if seen else {})
    objection = pools.judge(POOL, classes)
    assert objection is not None
    assert (objection.reason, objection.message) == (
        "UnfitStorageClass",
        f"spec.isolation.storageClasses[1]: {said}",
    )
    assert storage.offered(POOL.spec.isolation, classes) == ("good",)


def test_a_class_that_is_safe_is_offered() -> None:
    classes = {"good": GOOD, "nvme": GOOD, "unlisted": GOOD}
    assert pools.judge(POOL, classes) is None
    assert storage.offered(POOL.spec.isolation, classes) == ("good", "nvme")
