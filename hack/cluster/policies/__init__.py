"""A test fixture and nothing more: NetworkPolicies, enforced on real nodes by nftables.

It is here because no network plugin that enforces them is a Go module. It knows only the nodes of this tool: pods are
routed over links of their own (CNI's ptp), and one agent for each node runs in the node's network namespace. What it
costs, how far it grows and what becomes of flows that a new policy would forbid was no concern.

`agent` looks at the API server and replaces the whole table at once; `table` says what the table is; `rules` says what
a policy lets through; `selectors` says whom it means.
"""
