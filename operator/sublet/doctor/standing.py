"""How long a measured answer counts. It is kept on the node itself, where a restart and a new lease find it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sublet.doctor.judge import Verdict

GOOD_FOR: Final = timedelta(hours=24)
"""How long a node that passed is not measured again."""

AGAIN_AFTER: Final = timedelta(minutes=1)
"""When a node that did not pass is measured again."""

_LONGEST: Final = 600


@dataclass(frozen=True)
class Measured:
    """What came of the last measurement of a node.

    Attributes:
        verdict: The verdict.
        at: When.
        rests_on: The digest of what was measured, see `policies.digest`.
        message: Why it did not pass.
    """

    verdict: Verdict
    at: datetime
    rests_on: str
    message: str = ""

    def dump(self) -> str:
        """As it stands in the node's annotation."""
        document = {
            "verdict": self.verdict.value,
            "at": self.at.isoformat(timespec="seconds"),
            "restsOn": self.rests_on,
            "message": self.message[:_LONGEST],
        }
        return json.dumps(document)

    @classmethod
    def parse(cls, text: str | None) -> "Measured | None":
        """From the node's annotation; None if there is none, or it cannot be read: then nothing is known."""
        try:
            document = json.loads(text or "")
            at = datetime.fromisoformat(document["at"])
            if at.tzinfo is None:
                return None
            return cls(Verdict(document["verdict"]), at, str(document["restsOn"]), str(document["message"]))
        except (ValueError, KeyError, TypeError):
            return None


def due(measured: Measured | None, rests_on: str, changed_at: datetime | None) -> datetime | None:
    """When a node is to be measured (again); None for at once.

    Args:
        measured: The last answer.
        rests_on: The digest of what would be measured now.
        changed_at: When the node last became Ready or ceased to be: it may have come back as another one.
    """
    if measured is None or measured.rests_on != rests_on or (changed_at is not None and changed_at > measured.at):
        return None
    return measured.at + (GOOD_FOR if measured.verdict is Verdict.PASSED else AGAIN_AFTER)


def passed(measured: Measured | None, rests_on: str, changed_at: datetime | None, now: datetime) -> bool:
    """Whether a tenant may be let onto the node by its last answer."""
    again = due(measured, rests_on, changed_at)
    return measured is not None and measured.verdict is Verdict.PASSED and again is not None and now < again
