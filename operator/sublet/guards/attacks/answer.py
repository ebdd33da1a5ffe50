"""Answers: which guard it was that refused a request, read off what the API server says."""

import re
from typing import Final

ADMITTED: Final = "admitted"

_RULE: Final = re.compile(
    r"ValidatingAdmissionPolicy 'sublet-[a-z-]+' with binding '[a-z-]+' denied request: ([a-z0-9-]+): "
)
_RIGHTS: Final = re.compile(r'is forbidden: User "[^"]*" cannot ')
_SIGNS: Final = {"violates PodSecurity": "pod-security", "exceeded quota": "quota"}
_SCHEMA: Final = {"BadRequest", "Invalid", "NotFound", "MethodNotAllowed", "UnsupportedMediaType"}


def stopped_by(message: str, reason: str) -> str:
    """The guard that refused.

    Args:
        message: The message of the answer, a `metav1.Status`; empty if the request was admitted.
        reason: Its reason, in one word.

    Returns:
        The name of a rule, `rbac`, `quota`, `pod-security` or `schema`; `admitted`; or `unknown: ` and the message.
    """
    if not message:
        return ADMITTED
    if rule := _RULE.search(message):
        return rule[1]
    for sign, guard in _SIGNS.items():
        if sign in message:
            return guard
    if _RIGHTS.search(message):
        return "rbac"
    return "schema" if reason in _SCHEMA else f"unknown: {message}"
