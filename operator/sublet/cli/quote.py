"""`sublet quote`: when a lease could be had, on which nodes and at what price, without making it."""

import argparse
import sys
from datetime import datetime

from sublet.api.lease import GPULeaseSpec
from sublet.cli import output, quoted
from sublet.cli.reading import read
from sublet.cli.wanted import UNNAMED, UsageError, in_flags, wanted
from sublet.clock import SystemClock
from sublet.cluster.observe import namespace_holders, pool_view
from sublet.errors import SubletError
from sublet.plan.quoting import Quotation, quote, unwritten


def run(given: argparse.Namespace) -> int:
    """Answer and print; 0 if the lease could be had, 1 if not or nobody knows when, 2 if it could not be found out."""
    now = SystemClock().now().replace(microsecond=0)
    try:
        name, spec = wanted(given)
        quotation = _quote(name, spec, now)
    except (UsageError, SubletError) as error:
        print(f"sublet quote: {error}", file=sys.stderr)
        return 2
    _print(spec.pool, quotation, given.output, now, flags=name == UNNAMED)
    return 1 if quotation.asked is None else 0


def _quote(name: str, spec: GPULeaseSpec, now: datetime) -> Quotation:
    world = read()
    if world.leases.get(name) is not None:
        raise UsageError(f"metadata.name: there is a lease {name} already; give another name, or see its status")
    lease = unwritten(name, spec, now)
    holders = {} if name == UNNAMED else namespace_holders(world, lease)
    return quote(lease, pool_view(world, spec.pool), holders, now)


def _print(pool: str, quotation: Quotation, form: str, now: datetime, *, flags: bool) -> None:
    match form:
        case "json":
            print(output.as_json(quoted.as_json(pool, quotation, now)))
        case "ical" if quotation.offers:
            print(output.as_ical(quoted.as_events(pool, quotation), now), end="")
        case "ical":
            print(quoted.sentence(pool, quotation), file=sys.stderr)
        case _:
            text = quoted.as_table(pool, quotation)
            print(in_flags(text) if flags else text)
