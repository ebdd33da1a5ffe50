"""Metadata of pods and in templates: what runtimes, network plugins and controllers would act upon."""

from typing import Final

from sublet.desired import naming
from sublet.guards.rule import Rule

_RUNTIMES: Final = (
    # Container runtimes: devices by CDI, host namespaces, hooks.
    r"([^/]*[.])?cdi[.]k8s[.]io/",
    r"io[.]kubernetes[.]cri-o[./]",
    r"[^/]*crio[.]io(/|$)",
    r"io[.]containerd[.]",
    r"io[.]katacontainers[.]",
    r"dev[.]gvisor[.]",
    r"run[.]oci[.]",
    r"org[.]systemd[.]property[.]",
    # Network plugins: other networks, fixed addresses, ways around policies.
    r"[^/]*cni[.]cncf[.]io/",
    r"v1[.]multus-cni[.]io/",
    r"[^/]*projectcalico[.]org/",
    r"[^/]*cilium[.]io/",
    r"[^/]*ovn[.]org/",
    r"[^/]*antrea[.]io/",
    r"[^/]*istio[.]io/",
    # Clouds: the identity of somebody else.
    r"[^/]*amazonaws[.]com/",
    r"[^/]*gke[.]io/",
    r"azure[.]workload[.]identity/",
)
_KUBERNETES: Final = (
    r"(app|apps|batch|cluster-autoscaler|controller|kubectl)[.]kubernetes[.]io/",
    r"kubernetes[.]io/(change-cause|description|egress-bandwidth|ingress-bandwidth|limit-ranger)$",
)

NO_RUNTIME_ANNOTATIONS: Final = Rule(
    "no-runtime-annotations",
    f"""\
variables.meta.?annotations.orValue({{}}).all(k, k in variables.knownNotes || !k.matches(r'^({"|".join(_RUNTIMES)})')
  && (!k.matches(r'^([^/]*[.])?kubernetes[.]io/') || k.matches(r'^({"|".join(_KUBERNETES)})')))""",
    "an annotation would change how a runtime, a network plugin or the cluster treats the pod: remove it",
)
"""Of kubernetes.io those are let through that are known to do no harm; of others those are refused that can."""

TEMPLATE_RULES: Final = (
    NO_RUNTIME_ANNOTATIONS,
    Rule(
        "no-sublet-metadata",
        f"""\
variables.meta.?labels.orValue({{}}).all(k, !k.startsWith('{naming.PREFIX}/'))
&& variables.meta.?annotations.orValue({{}}).all(k, !k.startsWith('{naming.PREFIX}/'))""",
        f"labels and annotations under {naming.PREFIX}/ are the operator's own: use another prefix in the template",
    ),
    Rule(
        "no-template-finalizers",
        "size(variables.meta.?finalizers.orValue([])) == 0",
        "a finalizer would hold pods beyond the end of the lease: remove metadata.finalizers from the template",
    ),
)
"""What a template may not hand on to its pods. Of an object's own metadata the guards of metadata take care."""
