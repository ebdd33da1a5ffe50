"""The Pod Security Standards for templates: for pods Pod Security Admission has them, of templates it only warns.

A template that breaks them makes no pod. It is refused all the same, so that the tenant is told at once, and so that
the standards hold twice.
"""

from typing import Final

from sublet.guards.rule import Rule

_CAPABILITIES: Final = (
    "['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', "
    "'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT']"
)
_SYSCTLS: Final = (
    "['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_local_reserved_ports', "
    "'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ping_group_range', 'net.ipv4.tcp_fin_timeout', "
    "'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_keepalive_time', "
    "'net.ipv4.tcp_rmem', 'net.ipv4.tcp_syncookies', 'net.ipv4.tcp_wmem']"
)
_SELINUX_TYPES: Final = "['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']"

VARIABLES: Final = (
    ("restricted", "namespaceObject.metadata.?labels[?'pod-security.kubernetes.io/enforce'].orValue('') != 'baseline'"),
    ("context", "variables.spec.?securityContext.orValue({})"),
    ("contexts", "variables.containers.map(c, c.?securityContext.orValue({}))"),
    ("allContexts", "variables.contexts + [variables.context]"),
    (
        "handlers",
        """\
variables.containers.map(c, [c.?livenessProbe.orValue({}), c.?readinessProbe.orValue({}), c.?startupProbe.orValue({}),
  c.?lifecycle.?postStart.orValue({}), c.?lifecycle.?preStop.orValue({})])""",
    ),
)
"""What these rules need, beside `spec` and `containers`."""

# Pod Security Admission lets a pod with hostUsers: false have it.
NO_UNMASKED_PROC: Final = Rule(
    "no-unmasked-proc",
    "variables.contexts.all(s, s.?procMount.orValue('Default') == 'Default')",
    "parts of /proc stay masked: remove securityContext.procMount",
)

BASELINE: Final = (
    Rule(
        "no-host-namespaces",
        """\
!variables.spec.?hostNetwork.orValue(false) && !variables.spec.?hostPID.orValue(false)
&& !variables.spec.?hostIPC.orValue(false)""",
        "the node's network, processes and memory are not yours: remove hostNetwork, hostPID and hostIPC",
    ),
    Rule(
        "no-host-ports",
        "variables.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))",
        "a port of the node cannot be had: remove hostPort, and reach the pod by a Service",
    ),
    Rule(
        "no-privileged",
        "variables.contexts.all(s, !s.?privileged.orValue(false))",
        "a privileged container would have the node: remove securityContext.privileged",
    ),
    Rule(
        "allowed-capabilities",
        f"""\
variables.contexts.all(s, s.?capabilities.?add.orValue([]).all(c,
  c in (variables.restricted ? ['NET_BIND_SERVICE'] : {_CAPABILITIES})))""",
        "the capability is not offered: remove it from securityContext.capabilities.add",
    ),
    Rule(
        "safe-sysctls",
        f"variables.context.?sysctls.orValue([]).all(s, s.name in {_SYSCTLS})",
        "a sysctl is set that others would feel: remove it from securityContext.sysctls",
    ),
    Rule(
        "default-selinux",
        f"""\
variables.allContexts.all(s, s.?seLinuxOptions.?type.orValue('') in {_SELINUX_TYPES}
  && s.?seLinuxOptions.?user.orValue('') == '' && s.?seLinuxOptions.?role.orValue('') == '')""",
        "the SELinux user, role and type are the cluster's: remove them from seLinuxOptions",
    ),
    Rule(
        "confined",
        """\
variables.allContexts.all(s, s.?seccompProfile.?type.orValue('') != 'Unconfined'
  && s.?appArmorProfile.?type.orValue('') != 'Unconfined')""",
        "containers stay confined: remove the seccomp or AppArmor profile Unconfined, or use RuntimeDefault",
    ),
    Rule(
        "no-foreign-probes",
        """\
variables.handlers.all(all, all.all(h, h.?httpGet.?host.orValue('') == '' && h.?tcpSocket.?host.orValue('') == ''))""",
        "the kubelet probes the pod itself and no other address: remove host from probes and lifecycle hooks",
    ),
)
"""The level `baseline`, but for hostPath, which is no allowed volume, and hostProcess, which needs hostNetwork."""

RESTRICTED: Final = (
    Rule(
        "no-privilege-escalation",
        "!variables.restricted || variables.contexts.all(s, !s.?allowPrivilegeEscalation.orValue(true))",
        "this lease is `restricted`: set securityContext.allowPrivilegeEscalation to false on every container",
    ),
    Rule(
        "no-root",
        """\
!variables.restricted || variables.contexts.all(s,
  s.?runAsNonRoot.orValue(variables.context.?runAsNonRoot.orValue(false)))
&& variables.allContexts.all(s, s.?runAsUser.orValue(1) != 0)""",
        "this lease is `restricted`: set securityContext.runAsNonRoot to true, and no runAsUser 0",
    ),
    Rule(
        "dropped-capabilities",
        "!variables.restricted || variables.contexts.all(s, 'ALL' in s.?capabilities.?drop.orValue([]))",
        "this lease is `restricted`: set securityContext.capabilities.drop to [ALL] on every container",
    ),
    Rule(
        "seccomp-profile",
        """\
!variables.restricted || variables.contexts.all(s, s.?seccompProfile.?type.orValue(
  variables.context.?seccompProfile.?type.orValue('')) in ['RuntimeDefault', 'Localhost'])""",
        "this lease is `restricted`: set securityContext.seccompProfile.type to RuntimeDefault",
    ),
)
"""What the level `restricted` demands beyond it. A namespace that names no level is held to it as well."""
