"""The operator's settings: one frozen value, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Settings:
    """What an installation may choose.

    Attributes:
        tenant_role: Name of the ClusterRole that a lease binds its subjects to; the chart ships it.
        workers: How many leases are worked on at the same time.
        sweep_every: Time between two sweeps for orphans and vanished leases.
        liveness: Address of the liveness endpoint, e.g. `http://0.0.0.0:8080/healthz`; empty for none.
        metrics_port: Port of the Prometheus endpoint; 0 for none.
        log_format: `plain` or `json`.
    """

    tenant_role: str = "sublet-tenant"
    workers: int = 16
    sweep_every: timedelta = timedelta(seconds=30)
    liveness: str = ""
    metrics_port: int = 0
    log_format: str = "plain"

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the `SUBLET_*` variables; what is not set keeps its default.

        Raises:
            ValueError: A variable holds something that is not a number or is out of range; it is named.
        """
        default = cls()
        return cls(
            tenant_role=env.get("SUBLET_TENANT_ROLE", default.tenant_role),
            workers=_number(env, "SUBLET_WORKERS", default.workers, least=1),
            sweep_every=timedelta(
                seconds=_number(env, "SUBLET_SWEEP_SECONDS", int(default.sweep_every.total_seconds()), least=1)
            ),
            liveness=env.get("SUBLET_LIVENESS", default.liveness),
            metrics_port=_number(env, "SUBLET_METRICS_PORT", default.metrics_port, least=0),
            log_format=_choice(env, "SUBLET_LOG_FORMAT", default.log_format, ("plain", "json")),
        )


def _choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = env.get(name, default)
    if text not in choices:
        raise ValueError(f"{name}={text!r}: give one of {', '.join(choices)}")
    return text


def _number(env: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"{name}={text!r}: give a whole number of at least {least}")
    return int(text)
