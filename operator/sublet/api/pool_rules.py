"""What must hold between the fields of a GPUPool: durations that would leave nothing to sell."""

from dataclasses import dataclass
from typing import Final

from sublet.api.markers import Rule
from sublet.api.meta import camel_case
from sublet.api.scalars import seconds_in_cel


@dataclass(frozen=True, slots=True)
class Bound:
    """A duration that another one bounds; one that is left out bounds nothing.

    Attributes:
        lesser: Path of the one in the model of the specification.
        greater: Path of the other.
        strict: Whether equal ones are too much already.
    """

    lesser: str
    greater: str
    strict: bool = False

    @property
    def rule(self) -> Rule:
        """The bound in CEL, for the specification."""
        lesser, greater = f"self.{camel_case(self.lesser)}", f"self.{camel_case(self.greater)}"
        pair = f"{greater}, {lesser}" if self.strict else f"{lesser}, {greater}"
        with_values = self.sentence(f"' + {lesser} + '", f"' + {greater} + '")
        in_order = f"[{pair}].map(text, {seconds_in_cel('text')}).isSorted()"
        return Rule(
            cel=f"!has({greater}) || {'!' if self.strict else ''}{in_order}",
            message=self._sentence("", ""),
            message_cel=f"'{with_values}'",
            field=f".{camel_case(self.lesser)}",
        )

    def sentence(self, lesser: str, greater: str) -> str:
        """What is wrong, with the value of each."""
        return self._sentence(f"{lesser}, ", f", which is {greater}")

    def _sentence(self, lesser: str, greater: str) -> str:
        than = "not shorter" if self.strict else "longer"
        return (
            f"spec.{camel_case(self.lesser)} is {lesser}{than} than spec.{camel_case(self.greater)}{greater}: "
            "lower the one or raise the other"
        )


BOUNDS: Final = (
    Bound("terms.min_duration", "terms.max_duration"),
    Bound("terms.min_duration", "terms.longest_total"),
    Bound("terms.lead_time", "terms.horizon"),
    # A lease must be longer than its draining.
    Bound("schedule.drain_before", "terms.max_duration", strict=True),
    Bound("schedule.drain_before", "terms.longest_total", strict=True),
)
