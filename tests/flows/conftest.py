"""The engine that judges NetworkPolicies: compiled once, as the control plane is."""

import subprocess
from pathlib import Path

import pytest

from hack.cluster import ClusterError, binaries, golang


@pytest.fixture(scope="session")
def flows() -> Path:
    """The test tool `flows`."""
    try:
        return binaries.resolve(print, ["flows"], binaries.TEST_MODULES)["flows"]
    except ClusterError as error:
        if _has_sources():
            raise
        pytest.skip(f"Go cannot have the engine that judges NetworkPolicies here: {error}")


def _has_sources() -> bool:
    """Whether it is not for want of Go or of the network that nothing was compiled."""
    try:
        command = [str(golang.find(binaries.cache(), print)), "mod", "download"]
    except ClusterError:
        return False
    folder = golang.MODULES / "flows"
    return not subprocess.run(
        command, cwd=folder, env=golang.environment(), capture_output=True, check=False
    ).returncode


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was judged."""
    found = [dict(report.user_properties) for report in terminalreporter.getreports("passed")]
    if cells := [each["cells"] for each in found if "cells" in each]:
        terminalreporter.write_line(
            f"{sum(cells)} cells of the network's truth tables in {len(cells)} configurations are as agreed"
        )
    if mutants := [each["mutants"] for each in found if "mutants" in each]:
        terminalreporter.write_line(f"{sum(mutants)} changes of the rendered policies were noticed")
