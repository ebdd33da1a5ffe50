"""Guards of volume claims: only classes that the pool allows, and no volume that is somebody else's."""

from typing import Final

from sublet.desired import naming
from sublet.guards.rule import BY_CLUSTER, Match, Policy, Rule

_NEW: Final = "request.operation == 'CREATE'"

_RULES: Final = (
    # A claim keeps its class for life. Only a new one is looked at, so that an owner who takes a class off the list
    # does not stop the claims that are there from being bound and deleted.
    Rule(
        "claim-class",
        f"!({_NEW}) || object.spec.?storageClassName.orValue('') in variables.allowed",
        "(variables.allowed.size() == 0 ? 'this lease has no volume claims; use emptyDir, or agree on a StorageClass'"
        " : 'spec.storageClassName must be one of ' + variables.allowed.join(', '))",
        is_cel=True,
    ),
    # Among them an older way to name the class, which wins over spec.storageClassName.
    Rule(
        "claim-annotations",
        f"""\
{BY_CLUSTER}
|| variables.annotations.all(k, !k.split('/')[0].endsWith('kubernetes.io') || k.startsWith('kubectl.kubernetes.io/')
     || variables.annotations[k] == variables.before[?k].orValue(''))""",
        "annotations under kubernetes.io steer how a claim is bound; leave them out and set spec.storageClassName",
    ),
    # The API lets an unbound claim name its volume later, so changes are looked at as well. A selector stays.
    Rule(
        "claim-volume",
        f"""\
(!({_NEW}) || !has(object.spec.selector)) && (!has(object.spec.volumeName) || (!({_NEW}) && ({BY_CLUSTER}
     || object.spec.volumeName == oldObject.spec.?volumeName.orValue(''))))""",
        "spec.volumeName and selector would take a volume that is there already; leave them out, and a new one is made",
    ),
    Rule(
        "claim-source",
        """\
[object.spec.?dataSource.orValue({}), object.spec.?dataSourceRef.orValue({})].all(source,
  source.?kind.orValue('PersistentVolumeClaim') == 'PersistentVolumeClaim' && !has(source.namespace))""",
        "spec.dataSource and dataSourceRef may name a claim of the same namespace; other sources are filled by "
        "controllers with rights of their own",
    ),
    Rule(
        "claim-attributes",
        f"!({_NEW}) && object.spec.?volumeAttributesClassName == oldObject.spec.?volumeAttributesClassName"
        " || !has(object.spec.volumeAttributesClassName)",
        "spec.volumeAttributesClassName buys speed that is not part of the lease; leave it out",
    ),
)

CLAIMS: Final = Policy(
    name="claims",
    matches=(Match(("",), ("persistentvolumeclaims",)),),
    variables=(
        (
            "allowed",
            f"""\
namespaceObject.metadata.?annotations[?'{naming.ALLOWED_STORAGE_CLASSES}'].orValue('').split(',').filter(c, c != '')""",
        ),
        ("annotations", "object.metadata.?annotations.orValue({})"),
        ("before", f"{_NEW} ? {{}} : oldObject.metadata.?annotations.orValue({{}})"),
    ),
    rules=_RULES,
)
