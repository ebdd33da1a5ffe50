"""The chart renders what its values say, refuses values it does not know, and documents all of them."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from sublet import __version__
from sublet.guards.catalogue import POLICIES
from sublet.guards.rule import manifests
from sublet.settings import Settings

Helm = Callable[..., "CompletedProcess[str]"]
Raw = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "sublet"
DIGEST = "sha256:" + "0123456789abcdef" * 4
GUARDS = [f"{each['kind']}/{each['metadata']['name']}" for policy in POLICIES for each in manifests(policy)]
DOCTOR = [
    f"{kind}/sublet-doctor-{name}"
    for kind in ("Namespace", "ServiceAccount", "ResourceQuota", "Role", "RoleBinding")
    for name in ("open", "a", "b")
]
KINDS = sorted(
    [
        *GUARDS,
        *DOCTOR,
        "ClusterRole/sublet",
        "ClusterRole/sublet-editor",
        "ClusterRole/sublet-tenant",
        "ClusterRole/sublet-viewer",
        "ClusterRoleBinding/sublet",
        "CustomResourceDefinition/gpuleases.sublet.dev",
        "CustomResourceDefinition/gpupools.sublet.dev",
        "CustomResourceDefinition/leaserecords.sublet.dev",
        "Deployment/sublet",
        "Namespace/sublet-ended",
        "Namespace/sublet-sanitize",
        "Role/sublet-events",
        "Role/sublet-sanitize",
        "RoleBinding/sublet-events",
        "RoleBinding/sublet-probe",
        "RoleBinding/sublet-sanitize",
        "Service/sublet-metrics",
        "ServiceAccount/sublet",
        "ValidatingAdmissionPolicy/sublet-lease-times",
        "ValidatingAdmissionPolicy/sublet-operator-bounds",
        "ValidatingAdmissionPolicy/sublet-operator-jobs",
        "ValidatingAdmissionPolicy/sublet-operator-marks",
        "ValidatingAdmissionPolicyBinding/sublet-lease-times",
        "ValidatingAdmissionPolicyBinding/sublet-operator-bounds",
        "ValidatingAdmissionPolicyBinding/sublet-operator-jobs",
        "ValidatingAdmissionPolicyBinding/sublet-operator-marks",
    ]
)


def template(helm: Helm, values: Mapping[str, object], *flags: str, check: bool = True) -> "CompletedProcess[str]":
    """Render the chart with these values, as Helm would install it."""
    arguments = ("template", "sublet", str(CHART), "--namespace", "sublet-system", "--values", "-", *flags)
    return helm(*arguments, input=json.dumps(values), check=check)


def render(helm: Helm, values: Mapping[str, object] | None = None, *flags: str) -> dict[str, Raw]:
    """The rendered objects, by kind and name."""
    objects = [each for each in yaml.safe_load_all(template(helm, values or {}, *flags).stdout) if each]
    found = {f"{each['kind']}/{each['metadata']['name']}": each for each in objects}
    assert len(found) == len(objects)
    return found


def pod_of(objects: Mapping[str, Raw]) -> Raw:
    """The operator's pod template."""
    template: Raw = objects["Deployment/sublet"]["spec"]["template"]
    return template


def container_of(objects: Mapping[str, Raw]) -> Raw:
    """The operator's only container."""
    (container,) = pod_of(objects)["spec"]["containers"]
    return dict(container)


def environment_of(objects: Mapping[str, Raw]) -> dict[str, str]:
    """The operator's environment variables."""
    return {variable["name"]: variable["value"] for variable in container_of(objects)["env"]}


def documented(schema: Raw, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value that the schema describes, with its description."""
    for name, part in schema["properties"].items():
        here = f"{path}.{name}" if path else name
        if "description" in part:
            yield here, part["description"]
        else:
            yield from documented(part, here)


def default(path: str) -> object:
    """What a value is if nobody sets it."""
    value = yaml.safe_load((CHART / "values.yaml").read_text())
    for key in path.split("."):
        value = value[key]
    return value


SCHEMA: Raw = json.loads((CHART / "values.schema.json").read_text())
VALUES = {path: text for path, text in documented(SCHEMA) if path != "global"}


def test_the_chart_lints(helm: Helm) -> None:
    """Helm finds nothing to warn of."""
    assert "[WARNING]" not in helm("lint", "--strict", str(CHART)).stdout


def test_the_chart_and_the_operator_are_of_one_version() -> None:
    """An image is tagged with the version of the operator, so the chart names that one."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__


def test_the_crds_in_the_chart_are_copies() -> None:
    """The chart ships the generated CRDs to the byte, and no others."""
    generated = {path.name: path.read_bytes() for path in (ROOT / "crds").glob("*.yaml")}
    copied = {path.name: path.read_bytes() for path in (CHART / "files" / "crds").iterdir()}
    assert copied == generated


@pytest.mark.parametrize("path", sorted((CHART / "files" / "crds").iterdir()), ids=lambda path: path.name)
def test_a_crd_is_rendered_as_it_was_generated(helm: Helm, path: Path) -> None:
    """Rendering adds labels and the keep annotation to a CRD and changes nothing else; no text of it is a template."""
    text = path.read_text()
    assert "{{" not in text
    crd = yaml.safe_load(text)
    rendered = render(helm)[f"CustomResourceDefinition/{crd['metadata']['name']}"]
    assert rendered["spec"] == crd["spec"]
    assert rendered["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert rendered["metadata"].pop("labels")["app.kubernetes.io/name"] == "sublet"
    assert rendered["metadata"] == crd["metadata"]


def test_the_defaults_render_everything(helm: Helm) -> None:
    """Nothing but the ServiceMonitor has to be asked for."""
    assert sorted(render(helm)) == KINDS


def test_every_object_is_labelled(helm: Helm) -> None:
    """Whatever Helm installs can be listed by its labels, also by those that an owner adds."""
    objects = render(helm, {"commonLabels": {"team": "gpu"}})
    for name, each in objects.items():
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "sublet", name
        assert labels["app.kubernetes.io/instance"] == "sublet", name
        assert labels["team"] == "gpu", name
    assert "team" not in objects["Deployment/sublet"]["spec"]["selector"]["matchLabels"]


def test_without_the_deployment_everything_else_stays(helm: Helm) -> None:
    """An operator that runs outside finds the ServiceAccount, the rights, the policies and the CRDs."""
    objects = render(helm, {"deployment": {"enabled": False}})
    assert sorted(objects) == [name for name in KINDS if name not in {"Deployment/sublet", "Service/sublet-metrics"}]


def test_the_crds_can_be_left_out(helm: Helm) -> None:
    """Whoever installs the CRDs by other means says so."""
    objects = render(helm, {"crds": {"install": False}})
    assert sorted(objects) == [name for name in KINDS if not name.startswith("CustomResourceDefinition")]


def test_the_crds_can_be_let_go(helm: Helm) -> None:
    """Without `crds.keep` an uninstall takes the CRDs along."""
    objects = render(helm, {"crds": {"keep": False}})
    assert "annotations" not in objects["CustomResourceDefinition/gpuleases.sublet.dev"]["metadata"]


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, f"registry.example/sublet:{__version__}"),
        ({"tag": "1.2.3"}, "registry.example/sublet:1.2.3"),
        ({"tag": "1.2.3", "digest": DIGEST}, f"registry.example/sublet@{DIGEST}"),
    ],
)
def test_the_image_is_named_by_digest_or_tag(helm: Helm, image: Raw, reference: str) -> None:
    """A digest wins over a tag, and without either it is the chart's own version."""
    objects = render(helm, {"image": {"repository": "registry.example/sublet", **image}})
    assert container_of(objects)["image"] == reference


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({"image": {"repository": "registry.example/sublet", "tag": "1"}}, "registry.example/sublet:1"),
        ({"doctor": {"image": "registry.example/probe:2"}}, "registry.example/probe:2"),
    ],
)
def test_one_image_measures_isolation(helm: Helm, values: Raw, image: str) -> None:
    """What the operator reads off the namespace is what the policy lets it run: its own image by default."""
    objects = render(helm, {**values, "imagePullSecrets": [{"name": "registry"}]})
    namespace = objects["Namespace/sublet-doctor-open"]["metadata"]
    assert namespace["annotations"]["doctor.sublet.dev/image"] == image
    assert f"each.image == '{image}'" in str(objects["ValidatingAdmissionPolicy/sublet-operator-bounds"]["spec"])
    assert objects["ServiceAccount/sublet-doctor-b"]["imagePullSecrets"] == [{"name": "registry"}]


def test_the_settings_reach_the_operator(helm: Helm) -> None:
    """The operator reads from its environment what the values say."""
    values = {
        "tenantRole": {"name": "renter"},
        "operator": {"workers": 3, "sweepSeconds": 7, "logFormat": "plain"},
        "metrics": {"port": 9999},
    }
    settings = Settings.from_environment(environment_of(render(helm, values)))
    assert settings.tenant_role == "renter"
    assert settings.workers == 3
    assert settings.sweep_every.total_seconds() == 7
    assert settings.log_format == "plain"
    assert settings.metrics_port == 9999
    assert settings.liveness == "http://0.0.0.0:8080/healthz"


def test_the_defaults_of_chart_and_operator_agree(helm: Helm) -> None:
    """What nobody sets is the same on the cluster and off it, but for what only a pod needs."""
    given, plain = Settings.from_environment(environment_of(render(helm))), Settings()
    assert (given.tenant_role, given.workers, given.sweep_every) == (
        plain.tenant_role,
        plain.workers,
        plain.sweep_every,
    )
    assert (given.log_format, given.metrics_port) == ("json", 9090)


def test_a_renamed_tenant_role_is_renamed_everywhere(helm: Helm) -> None:
    """The role that exists, the one the operator binds and the one it may bind are the same."""
    objects = render(helm, {"tenantRole": {"name": "renter"}})
    assert "ClusterRole/renter" in objects
    assert "ClusterRole/sublet-tenant" not in objects
    bound = [r["resourceNames"] for r in objects["ClusterRole/sublet"]["rules"] if "bind" in r["verbs"]]
    assert bound == [["renter"]]
    assert objects["RoleBinding/sublet-probe"]["roleRef"]["name"] == "renter"


def test_metrics_can_be_switched_off(helm: Helm) -> None:
    """Without metrics there is no port, no Service and no ServiceMonitor."""
    values = {"metrics": {"enabled": False, "serviceMonitor": {"enabled": True}}}
    objects = render(helm, values, "--api-versions", "monitoring.coreos.com/v1")
    assert environment_of(objects)["SUBLET_METRICS_PORT"] == "0"
    assert [port["name"] for port in container_of(objects)["ports"]] == ["health"]
    assert "Service/sublet-metrics" not in objects
    assert "ServiceMonitor/sublet" not in objects


def test_a_service_monitor_finds_the_service(helm: Helm) -> None:
    """The ServiceMonitor selects the metrics Service and names its port."""
    values = {"metrics": {"serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"release": "prometheus"}}}}
    objects = render(helm, values, "--api-versions", "monitoring.coreos.com/v1")
    monitor, service = objects["ServiceMonitor/sublet"], objects["Service/sublet-metrics"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["endpoints"] == [{"port": "metrics", "interval": "15s"}]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [port["name"] for port in service["spec"]["ports"]] == ["metrics"]
    assert service["spec"]["selector"].items() <= pod_of(objects)["metadata"]["labels"].items()


def test_a_service_monitor_is_left_out_where_its_api_is_missing(helm: Helm) -> None:
    """An installation does not fail for want of the Prometheus operator."""
    assert sorted(render(helm, {"metrics": {"serviceMonitor": {"enabled": True}}})) == KINDS


def test_one_operator_runs_at_a_time(helm: Helm) -> None:
    """The next operator starts only when the last one has left."""
    spec = render(helm)["Deployment/sublet"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_pod_is_placed_as_the_values_say(helm: Helm) -> None:
    """Whatever places, sizes and marks a pod reaches it unchanged."""
    spec = {
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
        "priorityClassName": "system-cluster-critical",
        "imagePullSecrets": [{"name": "registry"}],
    }
    resources = {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi", "cpu": "2"}}
    values = {**spec, "resources": resources, "podLabels": {"cost": "ops"}, "podAnnotations": {"note": "yes"}}
    objects = render(helm, {**values, "serviceAccount": {"annotations": {"owner": "ops"}}})
    pod = pod_of(objects)
    assert {key: pod["spec"][key] for key in spec} == spec
    assert container_of(objects)["resources"] == {**resources, "requests": {"cpu": "1", "memory": "128Mi"}}
    assert pod["metadata"]["labels"]["cost"] == "ops"
    assert pod["metadata"]["annotations"] == {"note": "yes"}
    assert objects["ServiceAccount/sublet"]["metadata"]["annotations"] == {"owner": "ops"}


def test_the_pod_meets_the_restricted_profile(helm: Helm) -> None:
    """No root, no capabilities, no way to more rights, no writable root, no part of the host."""
    objects = render(helm)
    pod, container = pod_of(objects)["spec"], container_of(objects)
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes"} & set(pod)
    assert not any("hostPort" in port for port in container["ports"])


def test_no_service_can_pass_for_a_setting(helm: Helm) -> None:
    """Kubernetes would add variables such as SUBLET_METRICS_PORT for the Service of that name."""
    assert pod_of(render(helm))["spec"]["enableServiceLinks"] is False


def test_only_the_operators_pod_holds_its_token(helm: Helm) -> None:
    """Another pod that names the ServiceAccount gets no token unasked."""
    objects = render(helm)
    assert objects["ServiceAccount/sublet"]["automountServiceAccountToken"] is False
    assert pod_of(objects)["spec"]["automountServiceAccountToken"] is True


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 2}, "'replicas' not allowed"),
        ({"image": {"registry": "x"}}, "'registry' not allowed"),
        ({"metrics": {"serviceMonitor": {"intervall": "1m"}}}, "'intervall' not allowed"),
        ({"operator": {"workers": "many"}}, "at '/operator/workers': got string, want integer"),
        ({"operator": {"workers": 0}}, "at '/operator/workers': minimum"),
        ({"operator": {"logFormat": "xml"}}, "at '/operator/logFormat': value must be one of 'json', 'plain'"),
        ({"deployment": {"enabled": "no"}}, "at '/deployment/enabled': got string, want boolean"),
        ({"image": {"digest": "sha256:abc"}}, "at '/image/digest'"),
        ({"podLabels": {"cost": 1}}, "at '/podLabels/cost': got number, want string"),
        ({"metrics": {"port": 8080}}, "at '/metrics/port'"),  # the liveness endpoint has it
        ({"tenantRole": {"name": "admin"}}, "at '/tenantRole/name'"),  # the chart would take it over
        ({"breakGlass": {"group": "'] || true || ['"}}, "at '/breakGlass/group'"),  # it becomes part of an expression
        ({"sanitize": {"group": "'] || true || ['"}}, "at '/sanitize/group'"),
        ({"sanitize": {"images": ["a"], "x": 1}}, "at '/sanitize'"),
        ({"sanitize": {"images": ["'] || true || ['"]}}, "at '/sanitize/images/0'"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_by_name(helm: Helm, values: Raw, named: str) -> None:
    """A typing error stops the installation instead of being overlooked."""
    done = template(helm, values, check=False)
    assert done.returncode != 0
    assert named in done.stderr


def test_a_parent_chart_may_set_globals(helm: Helm) -> None:
    """Helm hands `global` to every subchart; a strict schema has to let it pass."""
    assert sorted(render(helm, {"global": {"imageRegistry": "x"}})) == KINDS


@pytest.mark.parametrize("version", ["1.34.0", "1.35.2-gke.100", "1.37.2"])
def test_supported_versions_of_kubernetes_are_let_in(helm: Helm, version: str) -> None:
    """Vendors' builds count as the release they are made of."""
    assert sorted(render(helm, {}, "--kube-version", version)) == KINDS


def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    """Helm says which version the chart wants."""
    done = template(helm, {}, "--kube-version", "1.33.9", check=False)
    assert "kubeVersion: >=1.34.0-0" in done.stderr


def test_every_value_has_a_default_and_every_default_a_description() -> None:
    """The schema describes the values there are, and no others."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def paths(part: Raw, path: str = "") -> Iterator[str]:
        for name, value in part.items():
            here = f"{path}.{name}" if path else name
            if here in VALUES:
                yield here
            else:
                yield from paths(value, here)

    assert sorted(paths(values)) == sorted(VALUES)


def test_the_readme_lists_every_value() -> None:
    """The table in the chart's README is the schema's, with the defaults."""
    rows = [f"| `{path}` | `{json.dumps(default(path))}` | {text} |" for path, text in VALUES.items()]
    table = (CHART / "README.md").read_text().partition("## Values\n")[2].partition("\n## ")[0]
    assert [line for line in table.splitlines() if line.startswith("| `")] == rows


@pytest.mark.parametrize("path", VALUES)
def test_a_description_is_a_sentence(path: str) -> None:
    """Every value is described for somebody who never saw the chart."""
    assert VALUES[path][0].isupper()
    assert VALUES[path].endswith(".")
