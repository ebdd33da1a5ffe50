"""Pods that break the Pod Security Standards."""

from typing import Final

from sublet.guards.attacks.attack import Manifest
from sublet.guards.attacks.pods_shapes import Bad, container, secured

_PSA: Final = "pod-security"
_NODE: Final = "Have a part of the node."


def _port() -> Manifest:
    return {"containers": [container(ports=[{"containerPort": 80, "hostPort": 80}])]}


def _probe() -> Manifest:
    return {"containers": [container(livenessProbe={"httpGet": {"port": 80, "host": "169.254.169.254"}})]}


BASELINE: Final = (
    Bad("host-network", _NODE, "no-host-namespaces", lambda _: {"hostNetwork": True}, {}, _PSA, ("MTB-PL1-BC-HI-3",)),
    Bad("host-pid", _NODE, "no-host-namespaces", lambda _: {"hostPID": True}, {}, _PSA, ("MTB-PL1-BC-HI-4",)),
    Bad("host-ipc", _NODE, "no-host-namespaces", lambda _: {"hostIPC": True}, {}, _PSA, ("MTB-PL1-BC-HI-5",)),
    Bad("host-port", _NODE, "no-host-ports", lambda _: _port(), {}, _PSA, ("MTB-PL1-BC-HI-3",)),
    Bad(
        "privileged",
        _NODE,
        "no-privileged",
        lambda _: secured(privileged=True, allowPrivilegeEscalation=None),
        {},
        _PSA,
        ("MTB-PL1-BC-CPI-5",),
    ),
    Bad(
        "capability",
        _NODE,
        "allowed-capabilities",
        lambda _: secured(capabilities={"drop": ["ALL"], "add": ["SYS_PTRACE"]}),
        {},
        _PSA,
        ("MTB-PL1-BC-CPI-3",),
    ),
    Bad(
        "unmasked-proc",
        _NODE,
        "no-unmasked-proc",
        lambda _: {"hostUsers": False, **secured(procMount="Unmasked")},
    ),
    Bad(
        "unsafe-sysctl",
        _NODE,
        "safe-sysctls",
        lambda _: {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
        {},
        _PSA,
    ),
    Bad(
        "selinux-type",
        _NODE,
        "default-selinux",
        lambda _: secured(seLinuxOptions={"type": "spc_t"}),
        {},
        _PSA,
    ),
    Bad("seccomp-off", _NODE, "confined", lambda _: secured(seccompProfile={"type": "Unconfined"}), {}, _PSA),
    Bad("apparmor-off", _NODE, "confined", lambda _: secured(appArmorProfile={"type": "Unconfined"}), {}, _PSA),
    Bad(
        "probe-the-cloud",
        "Let the kubelet ask an address of the node.",
        "no-foreign-probes",
        lambda _: _probe(),
        {},
        _PSA,
    ),
)

RESTRICTED: Final = (
    Bad(
        "escalate",
        "Gain rights in the container.",
        "no-privilege-escalation",
        lambda _: secured(allowPrivilegeEscalation=None),
        {},
        _PSA,
        ("MTB-PL1-BC-CPI-6",),
    ),
    Bad(
        "root-by-default", "Be root.", "no-root", lambda _: secured(runAsNonRoot=None), {}, _PSA, ("MTB-PL1-BC-CPI-4",)
    ),
    Bad("root-by-number", "Be root.", "no-root", lambda _: secured(runAsUser=0), {}, _PSA, ("MTB-PL1-BC-CPI-4",)),
    Bad(
        "keep-capabilities",
        "Keep what root may do.",
        "dropped-capabilities",
        lambda _: secured(capabilities=None),
        {},
        _PSA,
    ),
    Bad(
        "add-a-default-capability",
        "Keep what root may do.",
        "allowed-capabilities",
        lambda _: secured(capabilities={"drop": ["ALL"], "add": ["CHOWN"]}),
        {},
        _PSA,
        ("MTB-PL1-BC-CPI-3",),
    ),
    Bad("no-seccomp", "Use every system call.", "seccomp-profile", lambda _: secured(seccompProfile=None), {}, _PSA),
)
"""For a lease whose level is `restricted`."""
