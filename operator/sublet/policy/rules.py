"""The rules by which a lease is judged until it is booked. A booking is a promise: it is not judged again."""

from sublet.api.lease import Term
from sublet.api.reasons import Reason
from sublet.policy import network, pools, times
from sublet.policy.chain import Input, Rule, Verdict, evaluate


def judge(given: Input) -> Verdict | None:
    """Why the lease cannot be had as it is written; None if it can."""
    return evaluate(RULES, given)


def pool_exists(given: Input) -> Verdict | None:
    """The pool must be there."""
    if given.pool is not None:
        return None
    return Verdict(
        Reason.POOL_NOT_FOUND,
        f"spec.pool: there is no GPUPool {given.lease.spec.pool}; "
        "create it, or delete this lease and name one of `kubectl get gpupools`",
    )


def pool_is_accepted(given: Input) -> Verdict | None:
    """A pool that asks for what is not enforced sells nothing."""
    assert given.pool is not None  # noqa: S101 - pool_exists comes first
    objection = pools.judge(given.pool)
    if objection is None:
        return None
    return Verdict(
        Reason.POOL_NOT_ACCEPTED,
        f"spec.pool: the pool {given.lease.spec.pool} is not accepted: {objection.message}",
    )


def only_what_is_offered(given: Input) -> Verdict | None:
    """What this version does not honour is refused, rather than silently left out."""
    spec = given.lease.spec
    asked = {
        "spec.latestStart": spec.latest_start is not None,
        "spec.placement": spec.placement is not None,
    }
    field = next((name for name, is_set in asked.items() if is_set), None)
    if field is None:
        return None
    return Verdict(Reason.NOT_OFFERED, f"{field}: not offered by this version of Sublet; remove the field")


def term_has_a_price(given: Input) -> Verdict | None:
    """A pool with prices sells only the terms that it has a price for."""
    assert given.pool is not None  # noqa: S101 - pool_exists comes first
    pricing = given.pool.spec.pricing
    if given.lease.spec.term is Term.FIRM or pricing is None or pricing.interruptible is not None:
        return None
    return Verdict(
        Reason.NOT_OFFERED,
        "spec.term: the pool has no price for Interruptible leases; write Firm or leave it out",
    )


def whole_nodes(given: Input) -> Verdict | None:
    """GPUs must fill whole nodes exactly."""
    gpus, per_node = given.lease.spec.gpus, given.gpus_per_node
    if gpus is None or (per_node and gpus % per_node == 0):
        return None
    pool = given.lease.spec.pool
    if not per_node:
        return Verdict(
            Reason.TOO_FEW_NODES,
            f"spec.gpus: no node of the pool {pool} has a GPU; ask once it has some, or for another pool",
        )
    below, above = gpus // per_node * per_node, (gpus // per_node + 1) * per_node
    counts = f"{below} or {above}" if below else str(above)
    return Verdict(
        Reason.NODES_NOT_WHOLE,
        f"spec.gpus: {gpus} does not fill whole nodes of {per_node} GPUs; ask for {counts}",
    )


def enough_nodes(given: Input) -> Verdict | None:
    """No more nodes than the pool has for sale, free or not."""
    spec, most, per_node = given.lease.spec, given.nodes_for_sale, given.gpus_per_node
    wanted = spec.nodes if spec.nodes is not None else (spec.gpus or 0) // max(per_node, 1)
    if wanted <= most:
        return None
    field, amount = ("spec.nodes", f"{wanted}") if spec.nodes is not None else ("spec.gpus", f"{spec.gpus}")
    if not most:
        return Verdict(
            Reason.TOO_FEW_NODES,
            f"{field}: {amount} asked for, but the pool {spec.pool} has no nodes for sale; ask once it has some",
        )
    limit = most if spec.nodes is not None else most * per_node
    return Verdict(
        Reason.TOO_FEW_NODES,
        f"{field}: {amount} asked for, but the pool {spec.pool} has {most} nodes for sale; ask for at most {limit}",
    )


def namespaces_are_free(given: Input) -> Verdict | None:
    """No namespace of the lease may be somebody else's."""
    for index, (namespace, holder) in enumerate(given.namespaces.items()):
        if holder is None:
            continue
        whose = f"the lease {holder}" if holder else "somebody outside Sublet"
        field = f"spec.namespaces[{index - 1}]" if index else "metadata.name"
        remedy = "choose another suffix" if index else "delete this lease and apply it under another name"
        return Verdict(Reason.NAMESPACE_CONFLICT, f"{field}: the namespace {namespace} belongs to {whose}; {remedy}")
    return None


RULES: tuple[Rule, ...] = (
    pool_exists,  # all others read the pool
    pool_is_accepted,  # nothing is sold on terms that are not kept
    only_what_is_offered,  # no field is passed over in silence
    term_has_a_price,  # an interruptible lease without a price could not be billed
    network.egress_is_allowed,  # the owner's bound on what tenants reach
    whole_nodes,  # nodes are not shared
    enough_nodes,  # what can never fit must not wait for ever
    times.end_is_ahead,  # a lease that is over before it begins
    times.start_is_ahead,  # a start that was missed before it was asked for
    times.within_duration,  # the owner's shortest and longest term
    times.longer_than_draining,  # a lease that would drain from its first second
    times.within_lead_time,  # the owner's notice before a start
    times.within_horizon,  # how far ahead the owner sells
    times.extensions_within_total,  # how long a lease may get
    times.hard_stop_fits_pods,  # every pod of the lease would be refused
    namespaces_are_free,  # never take over what somebody else holds
)
"""The chain, in the order in which a person would want to hear of several faults."""
