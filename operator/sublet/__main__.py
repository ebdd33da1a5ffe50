"""The composition root.

`sublet run` is the operator. `sublet quote` and `sublet availability` tell what could be had, `sublet audit` tries the
guards of a live lease, `sublet doctor` measures what nodes and network hold, and `sublet crds` and `sublet guards`
write what the chart ships.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import kopf
from prometheus_client import start_http_server

from sublet import __version__
from sublet.api import crds
from sublet.cli import availability, doctor, quote, wanted
from sublet.cli.audit import audit
from sublet.cli.output import FORMATS
from sublet.clock import SystemClock
from sublet.cluster.client import Client
from sublet.errors import SubletError
from sublet.guards import render as guards
from sublet.handlers import startup
from sublet.service import Service
from sublet.settings import Settings


@dataclass(frozen=True)
class Generated:
    """Files that are written from code.

    Attributes:
        what: What they are.
        write: Writes them into a folder.
        stale: Names those in a folder that are not as `write` would leave them.
    """

    what: str
    write: Callable[[Path], None]
    stale: Callable[[Path], list[str]]


_GENERATED = {
    "crds": Generated("the CustomResourceDefinitions", crds.write, crds.stale),
    "guards": Generated("the admission policies", guards.write, guards.stale),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="sublet", description="Rent surplus GPU nodes to tenants, by lease.")
    parser.add_argument("--version", action="version", version=f"sublet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the operator; its settings are the SUBLET_* environment variables")
    for name, generated in _GENERATED.items():
        writer = commands.add_parser(name, help=f"write {generated.what} into a folder")
        writer.add_argument("folder", type=Path)
        writer.add_argument("--check", action="store_true", help="write nothing; fail if a file is not current")
    auditor = commands.add_parser("audit", help="try every known attack on a live lease, by dry run as its tenant")
    auditor.add_argument("lease")
    auditor.add_argument("-o", "--output", choices=("table", "json"), default="table")
    quoter = commands.add_parser("quote", help="tell when a lease could be had, where and at what price; make nothing")
    wanted.declare(quoter)
    looker = commands.add_parser("availability", help="tell when how many nodes of a pool are free for sale")
    availability.declare(looker)
    for asking in (quoter, looker):
        asking.add_argument("-o", "--output", choices=FORMATS, default="table")
    doctor.declare(
        commands.add_parser("doctor", help="see whether an installation is whole, and measure what it holds")
    )
    given = parser.parse_args(arguments)
    match given.command:
        case "run":
            return _run()
        case "audit":
            return audit(given.lease, given.output)
        case "quote":
            return quote.run(given)
        case "availability":
            return availability.run(given)
        case "doctor":
            return doctor.run(given)
        case name:
            return _write(_GENERATED[name], given.folder, check=given.check)


def _write(generated: Generated, folder: Path, *, check: bool) -> int:
    if not check:
        generated.write(folder)
        return 0
    stale = generated.stale(folder)
    for name in stale:
        print(f"{folder / name} is not current: run `make generate`", file=sys.stderr)
    return 1 if stale else 0


def _run() -> int:
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        print(f"sublet: {error}", file=sys.stderr)
        return 2
    log_format = kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL
    kopf.configure(log_format=log_format)
    logging.getLogger("sublet").setLevel(logging.INFO)
    # They would tell of every event of every object and of every probe; what a pass did stands in statuses,
    # events and metrics.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    if settings.metrics_port:
        start_http_server(settings.metrics_port)
    try:
        asyncio.run(_operate(settings))
    except SubletError as error:
        print(f"sublet: {error}", file=sys.stderr)
        return 1
    return 0


async def _operate(settings: Settings) -> None:
    client = await Client.connect()
    try:
        await startup.run(Service(client, SystemClock(), settings), liveness=settings.liveness)
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(main())
