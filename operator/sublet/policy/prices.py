"""What a pool may ask for its GPUs: no more than the ledger can hold."""

from sublet.api.pool import Pricing
from sublet.api.scalars import PRICES_BELOW, format_decimal


def objection(pricing: Pricing | None) -> str | None:
    """Which price is too high, as a sentence; None if none is.

    The API server takes no such price; one may have been stored before it knew of the limit.
    """
    if pricing is None:
        return None
    asked = {"firm": pricing.firm, "interruptible": pricing.interruptible}
    return next(
        (
            f"spec.pricing.{field}: {format_decimal(price)} for one GPU and hour is more than the ledger holds; "
            f"write less than {PRICES_BELOW}"
            for field, price in asked.items()
            if price is not None and price >= PRICES_BELOW
        ),
        None,
    )
