"""Every metric of the operator, declared once. Names follow Prometheus' conventions: base units, `_total`."""

from collections import Counter as Count
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

PASSES = Counter("sublet_passes", "Passes of the operator over one object.", labelnames=("kind", "result"))
PASS_SECONDS = Histogram("sublet_pass_duration_seconds", "Time that one pass took.", labelnames=("kind",))
LEASES = Gauge("sublet_leases", "Leases by phase, as of the last sweep.", labelnames=("phase",))
API_REQUESTS = Counter(
    "sublet_api_requests",
    "Requests sent to the API server, kopf's own watches left out; `kind` is `read` or `write`.",
    labelnames=("kind",),
)
READY_SECONDS = Histogram(
    "sublet_lease_ready_seconds",
    "Time from the start that was booked to everything being in place.",
    buckets=(0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300),
)
GIVE_BACK_SECONDS = Histogram(
    "sublet_lease_give_back_seconds",
    "Time from the end of a lease to its last node being back, cleaning included.",
    buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300, 1800),
)
SANITIZE_SECONDS = Histogram(
    "sublet_lease_sanitize_seconds",
    "Time from the end of a lease to its last node being clean or quarantined, in pools that clean.",
    buckets=(10, 30, 60, 120, 300, 600, 1800, 3600, 10800, 86400),
)
SANITIZING_NODES = Gauge(
    "sublet_nodes_sanitizing",
    "Nodes that are being cleaned, as of the last sweep; `mode` is `Steps`, or `External` for those that wait.",
    labelnames=("mode",),
)
QUARANTINED_NODES = Gauge("sublet_nodes_quarantined", "Nodes that are kept from use, as of the last sweep.")
LAST_SWEEP = Gauge("sublet_last_sweep_timestamp_seconds", "When the last complete sweep began, in Unix time.")
ORPHANS = Counter("sublet_orphans", "Leases that no longer exist and had left something behind, found by sweeps.")


def count_request(*, is_write: bool) -> None:
    """Count one request to the API server."""
    API_REQUESTS.labels("write" if is_write else "read").inc()


@contextmanager
def one_pass(kind: str) -> Iterator[None]:
    """Count and time one pass; `result` is `ok` or `failed`."""
    with PASS_SECONDS.labels(kind).time():
        try:
            yield
        except Exception:
            PASSES.labels(kind, "failed").inc()
            raise
        PASSES.labels(kind, "ok").inc()


def count_nodes(sanitizing: Iterable[str], quarantined: int) -> None:
    """Set how many nodes are being cleaned, given the mode of each, and how many are quarantined."""
    SANITIZING_NODES.clear()
    for mode, number in Count(sanitizing).items():
        SANITIZING_NODES.labels(mode).set(number)
    QUARANTINED_NODES.set(quarantined)


def count_phases(phases: Iterable[str]) -> None:
    """Set how many leases are in each phase."""
    LEASES.clear()
    for phase, number in Count(phases).items():
        LEASES.labels(phase).set(number)
