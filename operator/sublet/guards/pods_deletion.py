"""Guard of the end of pods: a pod is gone when its node says so, and is not waited for longer than a minute."""

from typing import Final

from sublet.guards.rule import BREAK_GLASS, BY_BREAK_GLASS, BY_CLUSTER, Match, Policy, Rule

LONGEST_GRACE_SECONDS: Final = 60
"""What a pod may ask for to stop, in its specification, in its probes and when it is deleted. Whoever takes a lease
away cannot shorten it: a kubelet that has begun to wait heeds no shorter time."""

_BY_KUBELET: Final = "request.userInfo.username.startsWith('system:node:')"
# By now the API server has written in what counts: the pod's own, where nobody asked for another.
_GRACE: Final = "request.options.?gracePeriodSeconds.orValue(30)"
_NOTHING_RUNS: Final = """\
(oldObject.?spec.?nodeName.orValue('') == '' || oldObject.?status.?phase.orValue('') in ['Failed', 'Succeeded'])"""

DELETION: Final = Policy(
    name="pod-deletion",
    matches=(Match(("",), ("pods",), ("DELETE",)),),
    # The kubelet deletes with no grace what it has stopped, and garbage collection what no node has any more.
    conditions=(("by-others", f"!({BY_CLUSTER} || {_BY_KUBELET} || {BY_BREAK_GLASS})"),),
    rules=(
        # The node would be given back while the pod's processes run on it.
        Rule(
            "no-forced-deletion",
            f"{_GRACE} >= 1 || {_NOTHING_RUNS}",
            "a pod is gone when its node has stopped it: leave --force and a gracePeriodSeconds of 0 out, and use "
            f"--now to be quick; where a node is lost for good, act as a member of the group {BREAK_GLASS}",
        ),
        Rule(
            "short-deletion-grace",
            f"{_GRACE} <= {LONGEST_GRACE_SECONDS}",
            "at the end of a lease nobody waits longer than a minute: delete with a gracePeriodSeconds of at most "
            f"{LONGEST_GRACE_SECONDS}",
        ),
    ),
)
