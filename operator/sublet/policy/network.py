"""The rules about what pods may reach outside: the most a pool may allow, and what a lease may ask of it."""

from ipaddress import ip_network

from sublet.api import ranges
from sublet.api.pool_isolation import Isolation
from sublet.api.reasons import Reason
from sublet.policy.chain import Input, Verdict

_NAMED_AT_MOST = 8


def cluster_is_named(isolation: Isolation) -> str | None:
    """Why a pool with egress would open the cluster itself; None if it does not.

    The operator cannot find out the cluster's networks, so what nobody names could not be cut out. Each family
    counts by itself: naming IPv4 closes nothing of IPv6.
    """
    families = {ip_network(cidr).version for cidr in isolation.cluster_cidrs}
    open_one = next((cidr for cidr in isolation.egress if ip_network(cidr).version not in families), None)
    if open_one is None:
        return None
    if not families:
        return (
            "spec.isolation.clusterCIDRs: name the networks of pods, Services and nodes before egress is sold; "
            "without them a tenant that may reach 0.0.0.0/0 reaches the cluster"
        )
    family = f"IPv{ip_network(open_one).version}"
    return (
        f"spec.isolation.clusterCIDRs: name the {family} networks of pods, Services and nodes too, "
        f"or take {open_one} out of spec.isolation.egress; without them a tenant may reach the cluster over {family}"
    )


def egress_is_allowed(given: Input) -> Verdict | None:
    """Every network asked for must lie inside one that the pool allows, and not wholly inside a closed one."""
    assert given.pool is not None  # noqa: S101 - pool_exists comes first
    network = given.lease.spec.network
    if network is None or not network.egress:
        return None
    isolation = given.pool.spec.isolation
    allowed = [ip_network(cidr) for cidr in isolation.egress]
    closed = ranges.closed(isolation.cluster_cidrs)
    for index, rule in enumerate(network.egress):
        asked = ip_network(rule.cidr)
        field = f"spec.network.egress[{index}].cidr"
        if not any(ranges.lies_in(asked, each) for each in allowed):
            return Verdict(
                Reason.NOT_OFFERED, f"{field}: {asked} is not within what the pool allows; {_remedy(isolation.egress)}"
            )
        around = next((each for each in closed if ranges.lies_in(asked, each)), None)
        if around is not None:
            return Verdict(
                Reason.NOT_OFFERED,
                f"{field}: {asked} lies in {around}, which is closed to tenants whatever the pool allows; remove it",
            )
    return None


def _remedy(allowed: tuple[str, ...]) -> str:
    if not allowed:
        return "it allows no way out but DNS, so remove spec.network.egress or ask for another pool"
    more = len(allowed) - _NAMED_AT_MOST
    rest = f" or {more} more" if more > 0 else ""
    return f"ask for a part of {', '.join(allowed[:_NAMED_AT_MOST])}{rest}"
