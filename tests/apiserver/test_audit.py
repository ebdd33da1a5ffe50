"""The audit: every known attack on a live lease, by dry run, and what a person reads of it."""

import asyncio
import json
import os
import subprocess
import sys

from tests.apiserver.site import Site


async def audit(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `sublet audit` as the cluster's administrator."""
    environment = {**os.environ, "KUBECONFIG": str(site.cluster.kubeconfig)}
    command = [sys.executable, "-m", "sublet", "audit", *words]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )


async def test_no_attack_on_a_live_lease_is_admitted(site: Site) -> None:
    """At least a hundred attacks are tried, none is admitted, and what is not restricted says so."""
    await site.pool(nodes=4, isolation={"registries": ["registry.example/acme"]})
    await site.lease("a")
    await site.reach("a", "Active")

    done = await audit(site, site.name("a"), "-o", "json")

    findings = json.loads(done.stdout)
    assert [f for f in findings if f["outcome"] in {"ADMITTED", "not restricted"}] == []
    assert len(findings) >= 100
    assert done.returncode == 0


async def test_a_person_reads_a_table_with_the_worst_last(site: Site) -> None:
    """The table names attack, expected and actual guard; its last line sums up."""
    await site.pool(nodes=4)
    await site.lease("a")
    await site.reach("a", "Active")

    done = await audit(site, site.name("a"))

    lines = done.stdout.splitlines()
    assert lines[0].split() == ["ATTACK", "EXPECTED", "GOT", "OUTCOME"]
    assert "0 ADMITTED" in lines[-1]
    assert lines[-3].endswith("not restricted")


async def test_only_an_active_lease_can_be_audited(site: Site) -> None:
    """A lease that is not there, or has not begun, is named in one sentence, with an exit code of its own."""
    missing = await audit(site, "no-such-lease")
    assert missing.returncode == 2
    assert missing.stderr == 'sublet audit: gpuleases.sublet.dev "no-such-lease" not found\n'

    await site.lease("a")
    await site.reach("a", "Refused")
    refused = await audit(site, site.name("a"))
    assert refused.returncode == 2
    assert refused.stderr == f"sublet audit: {site.name('a')} is Refused; only an Active lease has all its guards\n"
