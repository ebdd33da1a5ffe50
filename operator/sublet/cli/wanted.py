"""What a quote is asked for: a lease from a manifest, or from flags."""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from sublet.api.lease import GPULease, GPULeaseSpec
from sublet.api.lease_form import objection_to, objection_to_names
from sublet.api.meta import GROUP, VERSION

Raw = dict[str, Any]

UNNAMED: Final = "(unnamed)"
"""The name of a lease that is asked for by flags. No lease that there is can have it."""

_FLAGS: Final = {
    "pool": "POOL",
    "nodes": "--nodes",
    "gpus": "--gpus",
    "start": "--start",
    "latestStart": "--latest-start",
    "end": "--end",
    "duration": "--duration",
    "term": "--term",
    "placement.level": "--level",
}
"""The field of the specification that each flag gives."""

_FIELD: Final = re.compile(r"\bspec\.([a-zA-Z]+(?:\.[a-z]+)?)")


class UsageError(Exception):
    """Words that cannot be understood; the message is a sentence that names flag or field."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the words by which a lease is asked for."""
    parser.add_argument("pool", nargs="?", metavar="POOL", help="the pool to rent from, unless -f is given")
    parser.add_argument("-f", "--filename", metavar="FILE", help="a GPULease manifest; - for standard input")
    parser.add_argument("--nodes", metavar="N", help="how many whole nodes")
    parser.add_argument("--gpus", metavar="N", help="how many GPUs; they must fill whole nodes")
    parser.add_argument("--start", metavar="T", help="such as 2026-12-01T08:00:00Z; left out: as soon as possible")
    parser.add_argument("--latest-start", metavar="T", help="makes the start flexible")
    parser.add_argument("--end", metavar="T", help="when it is to end")
    parser.add_argument("--duration", metavar="D", help="how long it is to run, such as 7d or 1h30m")
    parser.add_argument("--term", metavar="TERM", help="Firm, which is the default, or Interruptible")
    parser.add_argument("--level", metavar="KEY", help="the topology level of which one block is to hold all nodes")
    parser.add_argument("--required", action="store_true", help="wait for such a block")


def wanted(given: argparse.Namespace) -> tuple[str, GPULeaseSpec]:
    """Name and specification of the lease that is asked for.

    Raises:
        UsageError: It is asked for in a way that cannot be understood.
    """
    flags = _from_flags(given)
    if given.filename is not None:
        if flags or given.required:
            raise UsageError(
                f"-f: gives the whole lease; leave out {_FLAGS[next(iter(flags))] if flags else '--required'}"
            )
        return _from_manifest(given.filename)
    if given.pool is None:
        raise UsageError("POOL: missing; name a pool, or give a manifest with -f")
    if given.required and given.level is None:
        raise UsageError("--required: needs --level, the topology level of which one block is to hold all nodes")
    placement = {"level": given.level, "mode": "Required" if given.required else "Preferred"}
    spec = {field: value for field, value in flags.items() if field != "placement.level"}
    nobody = {"name": "nobody", "subjects": [{"kind": "User", "name": "nobody"}]}
    return UNNAMED, _parse({**spec, "tenant": nobody, **({"placement": placement} if given.level else {})}, flags=True)


def in_flags(message: str) -> str:
    """A sentence about fields, said of the flags that give them."""
    return _FIELD.sub(lambda found: _FLAGS.get(found[1], found[0]), message)


def _from_flags(given: argparse.Namespace) -> Mapping[str, str]:
    """What was given by flags, by field."""
    values = {
        "pool": given.pool,
        "nodes": given.nodes,
        "gpus": given.gpus,
        "start": given.start,
        "latestStart": given.latest_start,
        "end": given.end,
        "duration": given.duration,
        "term": given.term,
        "placement.level": given.level,
    }
    return {field: value for field, value in values.items() if value is not None}


def _from_manifest(name: str) -> tuple[str, GPULeaseSpec]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        documents = [each for each in yaml.safe_load_all(text) if each is not None]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"-f: {name} cannot be read: {' '.join(str(error).split())}") from error
    kind, api_version = GPULease.kind, f"{GROUP}/{VERSION}"
    leases = [each for each in documents if isinstance(each, dict) and each.get("kind") == kind]
    if len(leases) != 1 or leases[0].get("apiVersion") != api_version:
        raise UsageError(f"-f: {name} must hold one {kind} of {api_version}")
    metadata, spec = leases[0].get("metadata"), leases[0].get("spec")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise UsageError("metadata.name: missing; a lease needs a name")
    parsed = _parse(spec, flags=False)
    if wrong := objection_to_names(metadata["name"], parsed):
        raise UsageError(wrong)
    return metadata["name"], parsed


def _parse(raw: object, *, flags: bool) -> GPULeaseSpec:
    try:
        spec = GPULeaseSpec.model_validate(raw, extra="forbid", by_alias=True, by_name=False)
        wrong = objection_to(spec)
    except ValidationError as error:
        wrong = _in_words(error)
    else:
        if wrong is None:
            return spec
    raise UsageError(in_flags(wrong) if flags else wrong)


def _in_words(error: ValidationError) -> str:
    """The first fault, as one sentence that names the field."""
    first = error.errors()[0]
    field = "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    text = {"extra_forbidden": "there is no such field", "missing": "missing"}.get(first["type"])
    if text is None:
        text = first["msg"].removeprefix("Value error, ")
        if first["type"] != "value_error":
            text = f"{first['input']!r}: {text[0].lower()}{text[1:]}"
    return f"{field}: {text}"
