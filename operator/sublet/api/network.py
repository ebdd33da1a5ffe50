"""What the pods of a lease may reach outside of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from sublet.api.markers import Rule, rules
from sublet.api.meta import Model
from sublet.api.names import Cidr

PortNumber = Annotated[int, Field(ge=1, le=65_535)]
"""A port of TCP, UDP or SCTP."""


class Protocol(StrEnum):
    """Transport protocol of a port."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class Port(Model):
    """One port, or a range of ports."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                cel="!has(self.endPort) || self.endPort >= self.port",
                message="endPort is below port: give the range from its lowest to its highest port",
                field=".endPort",
            )
        )
    )

    protocol: Protocol = Protocol.TCP
    """Transport protocol: `TCP`, `UDP` or `SCTP`."""
    port: PortNumber
    """The port, or the lowest of a range, for example 443."""
    end_port: PortNumber | None = None
    """Highest port of a range. Left out: only `port`."""


class EgressRule(Model):
    """One network that may be reached."""

    cidr: Cidr
    """The network, for example `203.0.113.0/24`; `0.0.0.0/0` is the whole IPv4 internet. Addresses of the cluster, of
    its nodes and of cloud metadata services stay closed even inside it.
    """
    ports: Annotated[tuple[Port, ...], Field(max_length=16)] = ()
    """Ports that may be reached there. None named: all ports of all protocols."""


class Network(Model):
    """What the lease asks to reach. Other tenants can never be reached."""

    egress: Annotated[tuple[EgressRule, ...], Field(max_length=32)] = ()
    """Networks to reach outside of the lease, each inside one that `isolation.egress` of the pool allows; the lease is
    refused otherwise. None named: only DNS and the lease's own pods. What the pool allows no longer is
    closed for running leases too.
    """
