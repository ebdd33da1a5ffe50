"""Guards: the static admission policies that hold without the operator, as data. Pure.

Rules are written here once, each with its name and its reason. The chart's manifests are generated from them,
and the list of attacks beside them says what they are for: a rule that no attack needs has no place here.
"""
