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
    objection = pools.judge(given.pool, given.classes)
    if objection is None:
        return None
    return Verdict(
        Reason.POOL_NOT_ACCEPTED,
        f"spec.pool: the pool {given.lease.spec.pool} is not accepted: {objection.message}",
    )


def placement_is_known(given: Input) -> Verdict | None:
    """A placement must name a level that the pool tells apart."""
    assert given.pool is not None  # noqa: S101 - pool_exists comes first
    wish, levels = given.lease.spec.placement, given.pool.spec.topology
    if wish is None or wish.level in levels:
        return None
    instead = f"name one of {', '.join(levels)}" if levels else "the pool names none, so remove spec.placement"
    return Verdict(
        Reason.NOT_OFFERED,
        f"spec.placement.level: {wish.level} is no level of the pool's topology; {instead}",
    )


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


def no_volume_is_left(given: Input) -> Verdict | None:
    """Volumes that an earlier lease left must be gone before anybody gets the namespace that their claims were in."""
    if not given.volumes:
        return None
    volume, namespace = given.volumes[0]
    return Verdict(
        Reason.NAMESPACE_CONFLICT,
        f"metadata.name: the volume {volume} is left of an earlier lease with the namespace {namespace}; "
        "delete it and the storage behind it, or delete this lease and apply it under another name",
    )


def there_is_room(given: Input) -> Verdict | None:
    """There must be a time at which the pool has the nodes; the planner looks, and says so in the queue."""
    queue = given.lease.status.queue
    return None if queue is None or queue.refusal is None else Verdict(Reason.NO_ROOM, queue.refusal)


RULES: tuple[Rule, ...] = (
    pool_exists,  # all others read the pool
    pool_is_accepted,  # nothing is sold on terms that are not kept
    placement_is_known,  # a wish that nobody can judge
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
    times.within_total,  # how long a lease may get
    times.extensions_begin_at_the_end,  # a hard stop before the end
    times.hard_stop_fits_pods,  # every pod of the lease would be refused
    namespaces_are_free,  # never take over what somebody else holds
    no_volume_is_left,  # nor wait at the end for, or get hold of, what an earlier tenant stored
    there_is_room,  # what the queue found to be impossible must not wait for ever
)
"""The chain, in the order in which a person would want to hear of several faults."""
