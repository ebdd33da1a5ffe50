"""The one error this tool raises for what a person can act on."""


class ClusterError(Exception):
    """A sentence that says what went wrong and, where there is something to do, what."""
