"""The form of a lease as Sublet judges it without an API server, against the API server."""

import json
from datetime import datetime
from typing import Any

import pytest

from sublet.api.lease_form import objection_to
from tests.builders import a_lease
from tests.conftest import Tool
from tests.unit.api.test_lease_form import BROKEN, KEPT

Raw = dict[str, Any]


def ahead(spec: Raw) -> Raw:
    """The same a hundred years later, when no time has passed yet."""
    return {k: v.replace(year=v.year + 100) if isinstance(v, datetime) else v for k, v in spec.items()}


@pytest.mark.parametrize("spec", [*KEPT, *(spec for _, spec in BROKEN)], ids=str)
def test_both_say_the_same(kubectl: Tool, spec: Raw) -> None:
    """What one takes the other takes, and what it does not take it refuses with the same message."""
    lease = a_lease("form", **{**({} if "gpus" in spec else {"gpus": None}), "nodes": 1, **ahead(spec)})
    manifest = json.dumps({**lease.manifest(), "metadata": {"name": "form"}, "status": None})

    done = kubectl("create", "--dry-run=server", "-f", "-", input=manifest, check=False)

    objection = objection_to(lease.spec)
    assert (done.returncode == 0) == (objection is None), done.stderr
    assert (objection or "") in done.stderr
