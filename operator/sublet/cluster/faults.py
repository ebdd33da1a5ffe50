"""Answers of the API server that are not the wanted one, turned into the errors of the domain."""

import json
from datetime import timedelta

from sublet.errors import (
    ConflictError,
    ExistsError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    SubletError,
    UnavailableError,
)

_BY_STATUS: dict[int, type[SubletError]] = {
    400: InvalidError,
    401: UnavailableError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: ConflictError,
    422: InvalidError,
}


def fault(status: int, body: bytes, retry_after: str | None = None) -> SubletError:
    """The error for one answer.

    Args:
        status: The HTTP status.
        body: The answer's body, a `metav1.Status` as a rule.
        retry_after: The answer's Retry-After header, in seconds, if it has one.
    """
    try:
        answer = json.loads(body)
        message, reason = str(answer.get("message") or ""), str(answer.get("reason") or "")
    except (ValueError, AttributeError):
        message, reason = body[:200].decode(errors="replace"), ""
    kind = ExistsError if reason == "AlreadyExists" else _BY_STATUS.get(status, UnavailableError)
    wait = timedelta(seconds=int(retry_after)) if retry_after and retry_after.isdecimal() else None
    return kind(message or f"the API server answered {status}", reason=reason, retry_after=wait)
