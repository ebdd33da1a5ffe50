"""Where progress is told: on stderr, so that what a command answers can be piped."""

import sys


def to_stderr(message: str) -> None:
    """Print one line."""
    print(f"cluster: {message}", file=sys.stderr, flush=True)
