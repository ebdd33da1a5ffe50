"""Errors that carry what a status should say and when a retry makes sense. No framework is imported here."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass
class SubletError(Exception):
    """Something that stopped a pass.

    Attributes:
        message: One sentence for a person. It holds no generated names or times, because a message that
            changes on every pass would rewrite the status for ever.
        reason: The API server's own word for it, if it came from there.
        retry_after: How long to wait before the next try; None leaves it to the work list's backoff.
    """

    message: str
    reason: str = field(default="", kw_only=True)
    retry_after: timedelta | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.message


@dataclass
class NotFoundError(SubletError):
    """The object does not exist (any more)."""


@dataclass
class ConflictError(SubletError):
    """Somebody else wrote first: our reading of the object was stale."""


@dataclass
class ExistsError(SubletError):
    """An object of that name exists already, and we were not to touch it."""


@dataclass
class ForbiddenError(SubletError):
    """The API server refused our own rights; a chart that grants too little shows here."""


@dataclass
class InvalidError(SubletError):
    """The API server refused the object itself."""


@dataclass
class GuardError(SubletError):
    """A guard did not answer a probe as it must; nobody is let in."""


@dataclass
class UnavailableError(SubletError):
    """The API server could not be reached or could not answer."""
