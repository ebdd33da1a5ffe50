"""What a pool may ask of leases: terms that some lease can keep, at a price that the ledger can hold.

The API server takes no others; some may have been stored before it knew of these bounds.
"""

from operator import attrgetter

from sublet.api.pool import GPUPoolSpec, Pricing
from sublet.api.pool_rules import BOUNDS
from sublet.api.scalars import PRICES_BELOW, format_decimal, format_duration


def objection(spec: GPUPoolSpec) -> str | None:
    """What is wrong with the terms or the prices, as a sentence; None if nothing is."""
    return _contradiction(spec) or _too_dear(spec.pricing)


def _contradiction(spec: GPUPoolSpec) -> str | None:
    for bound in BOUNDS:
        lesser, greater = attrgetter(bound.lesser, bound.greater)(spec)
        if greater is not None and (lesser >= greater if bound.strict else lesser > greater):
            return bound.sentence(format_duration(lesser), format_duration(greater))
    return None


def _too_dear(pricing: Pricing | None) -> str | None:
    for field in ("firm", "interruptible") if pricing is not None else ():
        price = getattr(pricing, field)
        if price is not None and price >= PRICES_BELOW:
            return (
                f"spec.pricing.{field}: {format_decimal(price)} for one GPU and hour is more than the ledger holds; "
                f"write less than {PRICES_BELOW}"
            )
    return None
