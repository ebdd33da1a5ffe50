"""Guard of lease facts: who works in a lease can rely on what it reads of it."""

from typing import Final

from sublet.desired import naming
from sublet.guards.rule import BREAK_GLASS, BY_BREAK_GLASS, BY_CLUSTER, BY_OPERATOR, Match, Policy, Rule

FACTS: Final = Policy(
    name="lease-facts",
    matches=(Match(("",), ("configmaps",), ("CREATE", "UPDATE", "DELETE")),),
    # Not request.name: when a whole collection is deleted, the API server asks about each object without it.
    conditions=(
        (
            "about-the-facts",
            f"(request.operation == 'DELETE' ? oldObject : object).metadata.name == '{naming.FACTS}'",
        ),
    ),
    rules=(
        # The cluster deletes it with the namespace.
        Rule(
            "lease-facts",
            f"{BY_OPERATOR} || {BY_BREAK_GLASS} || {BY_CLUSTER}",
            f"the ConfigMap {naming.FACTS} says what was agreed, and Sublet alone writes and deletes it; use another "
            f"name, or act as a member of the group {BREAK_GLASS}",
        ),
    ),
)
