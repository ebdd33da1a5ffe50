"""Settings come from the environment, and a wrong one is named."""

from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from sublet.settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    """What is not set is as documented."""
    assert Settings.from_environment({}) == Settings(
        tenant_role="sublet-tenant",
        workers=16,
        sweep_every=timedelta(seconds=30),
        liveness="",
        metrics_port=0,
        log_format="plain",
    )


def test_every_setting_can_be_set() -> None:
    """Each variable reaches its field, and other variables are none of our business."""
    found = Settings.from_environment(
        {
            "SUBLET_TENANT_ROLE": "tenants",
            "SUBLET_WORKERS": "1",
            "SUBLET_SWEEP_SECONDS": "90",
            "SUBLET_LIVENESS": "http://0.0.0.0:8080/healthz",
            "SUBLET_METRICS_PORT": "9090",
            "SUBLET_LOG_FORMAT": "json",
            "HOME": "/root",
        }
    )
    assert found == Settings(
        tenant_role="tenants",
        workers=1,
        sweep_every=timedelta(seconds=90),
        liveness="http://0.0.0.0:8080/healthz",
        metrics_port=9090,
        log_format="json",
    )


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("SUBLET_WORKERS", "0", 1),
        ("SUBLET_WORKERS", "many", 1),
        ("SUBLET_WORKERS", "-1", 1),
        ("SUBLET_WORKERS", "", 1),
        ("SUBLET_SWEEP_SECONDS", "0", 1),
        ("SUBLET_SWEEP_SECONDS", "1.5", 1),
        ("SUBLET_METRICS_PORT", "http", 0),
    ],
)
def test_a_wrong_number_is_refused_by_its_name(name: str, value: str, least: int) -> None:
    """The message says which variable, what it holds and what it should hold."""
    with pytest.raises(ValueError, match=r"^SUBLET_") as refusal:
        Settings.from_environment({name: value})
    assert str(refusal.value) == f"{name}={value!r}: give a whole number of at least {least}"


def test_an_unknown_log_format_is_refused() -> None:
    """A misspelt format is told at the start rather than passed over."""
    with pytest.raises(ValueError, match="SUBLET_LOG_FORMAT"):
        Settings.from_environment({"SUBLET_LOG_FORMAT": "jsno"})


def test_settings_do_not_change() -> None:
    """They are read once and hold for the process."""
    with pytest.raises(FrozenInstanceError):
        Settings().workers = 3  # type: ignore[misc]
