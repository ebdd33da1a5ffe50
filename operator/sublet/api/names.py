"""Names and other bounded texts that Kubernetes gives a shape: labels, object names, networks."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from sublet.api.markers import Rule, rules

DNS_LABEL: Final = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
LEASE_NAME_LENGTH: Final = 40
"""Longest name of a lease: it becomes part of the names of namespaces, which end at 63 characters."""

POOL_NAME: Final = Rule(
    cel=f"size(self.metadata.name) <= 63 && self.metadata.name.matches('{DNS_LABEL}')",
    message=(
        "metadata.name becomes the value of a node label: use at most 63 lower-case letters, digits and inner hyphens"
    ),
    field=".metadata.name",
)
"""Shape of a pool's name."""

_DNS_SUBDOMAIN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_WORD: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_MESSAGE_LENGTH: Final = 1024


def _shortened(value: object) -> object:
    if isinstance(value, str) and len(value) > _MESSAGE_LENGTH:
        return value[: _MESSAGE_LENGTH - 1] + "…"
    return value


DnsLabel = Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL)]
"""Lower-case letters, digits and `-`, at most 63."""

LeaseName = Annotated[str, Field(min_length=1, max_length=LEASE_NAME_LENGTH, pattern=DNS_LABEL)]
"""A DNS label of at most 40 characters."""

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=_DNS_SUBDOMAIN)]
"""The name of a cluster-scoped object such as a Node or a StorageClass."""

LabelKey = Annotated[str, Field(min_length=1, max_length=317, pattern=f"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?{_WORD}$")]
"""The key of a label, such as `topology.kubernetes.io/zone`."""

LabelValue = Annotated[str, Field(max_length=63, pattern=f"^({_WORD})?$")]
"""The value of a label; it may be empty."""

ResourceName = Annotated[str, Field(min_length=3, max_length=317, pattern=f"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/{_WORD}$")]
"""The name of an extended resource, such as `nvidia.com/gpu`."""

Cidr = Annotated[
    str,
    Field(
        min_length=1,
        max_length=43,
        json_schema_extra=rules(
            Rule(cel="isCIDR(self)", message="is no network: write it as 203.0.113.0/24 or 2001:db8::/32"),
            Rule(
                cel="!isCIDR(self) || cidr(self).masked() == cidr(self)",
                message="has bits set behind its prefix: write the first address of the network",
            ),
        ),
    ),
]
"""An IPv4 or IPv6 network in its canonical form, without bits behind the prefix."""

Currency = Annotated[str, Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$")]
"""An ISO 4217 code such as `EUR`."""

Message = Annotated[str, BeforeValidator(_shortened), Field(max_length=_MESSAGE_LENGTH)]
"""A sentence for people; one that is too long is cut, so that a status can always be written."""
