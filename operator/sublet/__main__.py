"""The composition root: `sublet run` is the operator, `sublet crds` writes its resource definitions."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import kopf
from prometheus_client import start_http_server

from sublet import __version__
from sublet.api import crds
from sublet.clock import SystemClock
from sublet.cluster.client import Client
from sublet.errors import SubletError
from sublet.handlers import startup
from sublet.service import Service
from sublet.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="sublet", description="Rent surplus GPU nodes to tenants, by lease.")
    parser.add_argument("--version", action="version", version=f"sublet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the operator; its settings are the SUBLET_* environment variables")
    writer = commands.add_parser("crds", help="write the CustomResourceDefinitions into a folder")
    writer.add_argument("folder", type=Path)
    writer.add_argument("--check", action="store_true", help="write nothing; fail if a file is not current")
    given = parser.parse_args(arguments)
    return _crds(given.folder, check=given.check) if given.command == "crds" else _run()


def _crds(folder: Path, *, check: bool) -> int:
    if not check:
        crds.write(folder)
        return 0
    stale = crds.stale(folder)
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
