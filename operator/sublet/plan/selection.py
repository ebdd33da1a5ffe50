"""Label selectors, evaluated as the API server evaluates them (apimachinery, pkg/labels/selector.go)."""

from collections.abc import Mapping

from sublet.api.pool import LabelSelector


def selects(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether an object with these labels is selected."""
    if any(labels.get(key) != value for key, value in selector.match_labels.items()):
        return False
    return all(_holds(e.operator, e.key, e.values, labels) for e in selector.match_expressions)


def _holds(operator: str, key: str, values: tuple[str, ...], labels: Mapping[str, str]) -> bool:
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            raise ValueError(f"unknown operator {operator!r}")
