"""A provisioner: the tests' own, since the cluster has none. What binds, protects and releases volumes is real."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.cluster.kinds import Kind

Raw = dict[str, Any]

CLAIM = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True)
CSI: Raw = {"csi": {"driver": "csi.sublet.test", "volumeHandle": "data"}}
_NUMBERS = itertools.count()


@dataclass
class Provisioner:
    """Makes a volume for each claim of a namespace, and deletes volumes when it is told to.

    Attributes:
        admin: An administrator.
        storage_class: The class that it is for; it need not exist.
    """

    admin: Client
    storage_class: str
    made: list[str] = field(default_factory=list)

    async def create_class(self, **fields: str) -> None:
        """Create the StorageClass."""
        head = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": self.storage_class}}
        await self.admin.create({**head, "provisioner": "csi.sublet.test", **fields})

    async def create_volume(self, claim: Raw | None, source: Raw = CSI) -> str:
        """Create a volume of the class, for a claim or for whoever comes; return its name."""
        name = f"{self.storage_class}-{next(_NUMBERS)}"
        self.made.append(name)
        spec: Raw = {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": self.storage_class,
            **source,
        }
        if claim is not None:
            spec["claimRef"] = {"apiVersion": "v1", "kind": CLAIM.kind, **claim}
        by = {"pv.kubernetes.io/provisioned-by": "csi.sublet.test"} if source == CSI else {}
        head = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "annotations": by}}
        await self.admin.create({**head, "spec": spec})
        return name

    async def provide(self, namespace: str, claims: int, source: Raw = CSI) -> list[str]:
        """Make a volume for each claim of a namespace, of which there must be so many; return their names."""
        found = (await self.admin.list(CLAIM, namespace))["items"]
        if len(found) != claims:
            return []
        keys = ("namespace", "name", "uid")
        return [await self.create_volume({key: claim["metadata"][key] for key in keys}, source) for claim in found]

    async def delete(self, *volumes: str) -> None:
        """Delete volumes, as a provisioner does once their claims are gone."""
        for name in volumes:
            await self.admin.delete(kinds.PERSISTENT_VOLUME, name)

    async def leave(self) -> None:
        """Delete the class and every volume that was made."""
        await self.delete(*self.made)
        await self.admin.delete(kinds.STORAGE_CLASS, self.storage_class)
