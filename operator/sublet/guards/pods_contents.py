"""What pods are made of: images, variables, volumes and devices."""

from typing import Final

from sublet.desired import naming
from sublet.guards.rule import Rule

_DEVICE_NAMES: Final = (
    "AMD_VISIBLE_DEVICES",
    "ASCEND_VISIBLE_DEVICES",
    "CUDA_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "HABANA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "MTHREADS_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
)
"""Variables by which container runtimes and drivers of GPUs choose devices, beside all that begin with NVIDIA_."""

DEVICE_NAMES: Final = "[" + ", ".join(f"'{name}'" for name in _DEVICE_NAMES) + "]"
"""The same as CEL."""

_DEVICE_CLASS: Final = "deviceclass.resource.kubernetes.io/"
_LARGEST: Final = "10Ti"
_VOLUMES: Final = (
    "['configMap', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']"
)

VARIABLES: Final = (
    (
        "containers",
        """\
variables.spec.?containers.orValue([]) + variables.spec.?initContainers.orValue([])
+ variables.spec.?ephemeralContainers.orValue([])""",
    ),
    ("volumes", "variables.spec.?volumes.orValue([])"),
    ("projections", "variables.volumes.filter(v, has(v.projected)).map(v, v.projected.?sources.orValue([]))"),
    ("storageClasses", f"variables.notes[?'{naming.ALLOWED_STORAGE_CLASSES}'].orValue('').split(',')"),
    ("deviceClasses", f"variables.notes[?'{naming.ALLOWED_DEVICE_CLASSES}'].orValue('').split(',')"),
    # `any` is written for the list that is there and empty; a list that is not there allows nothing.
    ("registries", f"variables.notes[?'{naming.ALLOWED_REGISTRIES}'].orValue('none.invalid')"),
    # Docker's own reading of a short name: what stands before the first slash is a host only if it has a dot, a colon
    # or a capital letter, or is `localhost`.
    (
        "images",
        """\
variables.containers.map(c, c.?image.orValue(''))
  .map(i, i.matches('^(localhost|[^/]*[.:A-Z][^/]*)/') ? i : 'docker.io/' + i)
  .map(i, i.startsWith('index.docker.io/') ? i.substring(6) : i)
  .map(i, i.matches('^docker[.]io/[^/]*$') ? 'docker.io/library/' + i.substring(10) : i)""",
    ),
)
"""What these rules need, beside `spec`, `notes` and `claims`: the volume claims that the object brings along."""


def empty_dirs(*, sized: bool) -> Rule:
    """A limit on every emptyDir: a lower bound, since 0 means none. Of a template it may be missing."""
    missing = "false" if sized else "true"
    return Rule(
        "bounded-empty-dirs",
        f"""\
variables.volumes.filter(v, has(v.emptyDir)).all(v, !has(v.emptyDir.sizeLimit) ? {missing} :
  quantity(v.emptyDir.sizeLimit).isGreaterThan(quantity('0'))
  && quantity(v.emptyDir.sizeLimit).compareTo(quantity('{_LARGEST}')) <= 0)""",
        f"an emptyDir may not fill a node: set its sizeLimit, above 0 and at most {_LARGEST}",
    )


_CLASS_KEYS: Final = f"""\
{{0}}.orValue({{{{}}}}).all(k,
    !k.startsWith('{_DEVICE_CLASS}') || k.substring({len(_DEVICE_CLASS)}) in variables.deviceClasses)"""

RULES: Final = (
    Rule(
        "no-device-variables",
        f"""\
variables.containers.all(c, c.?env.orValue([]).all(e,
  !e.name.startsWith('NVIDIA_') && !(e.name in {DEVICE_NAMES})))""",
        "GPUs are asked for in resources.limits, and given by the device plugin: remove the environment variables "
        "NVIDIA_* and *_VISIBLE_DEVICES",
    ),
    # A prefix and a key of a ConfigMap or Secret together make a name. Names without prefix are refused as keys.
    Rule(
        "no-device-prefixes",
        f"""\
variables.containers.all(c, c.?envFrom.orValue([]).all(e, e.?prefix.orValue('') == ''
  || !(['NVIDIA_'] + {DEVICE_NAMES}).exists(n, n.startsWith(e.prefix) || e.prefix.startsWith(n))))""",
        "with this envFrom prefix a key could become a variable that chooses GPUs: use another prefix, such as APP_",
    ),
    Rule(
        "allowed-volumes",
        f"variables.volumes.all(v, {_VOLUMES}.exists(kind, kind in v))",
        "a volume is a configMap, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected or secret: "
        "nothing of the node, of the network or of an image can be mounted",
    ),
    Rule(
        "allowed-projections",
        """\
variables.projections.all(p, p.all(s,
  has(s.configMap) || has(s.downwardAPI) || has(s.secret) || has(s.serviceAccountToken)))""",
        "a projected volume holds configMap, downwardAPI, secret and serviceAccountToken: remove the other sources",
    ),
    # 3607 is what the API server itself asks for when it mounts a token into a pod.
    Rule(
        "short-lived-tokens",
        "variables.projections.all(p, p.all(s, s.?serviceAccountToken.?expirationSeconds.orValue(3600) <= 3607))",
        "a token lives for an hour and is renewed by itself: set expirationSeconds to at most 3600",
    ),
    Rule(
        "allowed-storage-class",
        """\
variables.claims.all(c, c.spec.?storageClassName.orValue('') != ''
  && c.spec.storageClassName in variables.storageClasses)""",
        "(variables.storageClasses == ['']"
        " ? 'this lease has no volume claims; use emptyDir, or agree on a StorageClass'"
        " : 'a volume claim names a StorageClass that is offered: set storageClassName to one of ['"
        " + variables.storageClasses.join(', ') + ']')",
        is_cel=True,
    ),
    Rule(
        "new-volumes-only",
        """\
variables.claims.all(c, !has(c.spec.volumeName) && !has(c.spec.selector)
  && [c.spec.?dataSource.orValue({}), c.spec.?dataSourceRef.orValue({})].all(source,
    source.?kind.orValue('PersistentVolumeClaim') == 'PersistentVolumeClaim' && !has(source.namespace)))""",
        "a volume claim gets a volume of its own: remove volumeName and selector, and copy at most a claim of your own",
    ),
    Rule(
        "allowed-registries",
        """\
variables.registries == '' || variables.images.all(i, variables.registries.split(',').exists(r,
  i.startsWith(r + '/') || r.contains('/') && (i == r || i.startsWith(r + ':') || i.startsWith(r + '@'))))""",
        "'images come from [' + variables.registries + '] alone, and a name without registry means docker.io: ' "
        "+ 'push the image there and name it in full'",
        is_cel=True,
    ),
    Rule(
        "allowed-device-classes",
        f"""\
(!has(variables.spec.resourceClaims) || variables.deviceClasses != [''])
&& variables.containers.all(c,
  {_CLASS_KEYS.format("c.?resources.?limits")}
  && {_CLASS_KEYS.format("c.?resources.?requests")})""",
        '"DeviceClasses are not offered, or not this one: ask for GPUs in resources.limits[\'" + variables.gpu + "\']"',
        is_cel=True,
    ),
)
"""Rules of pods and of templates alike."""
