"""The doctor: whether the network and the nodes do what the policies of a lease say, measured by pods.

Not the dry-run probes of `plan.probes`, which ask the API server whether it would refuse an object: here packets are
sent. `checks` says what is measured, `pods` what runs for it, `judge` what the answers mean, `standing` how long an
answer counts. `probe` is the program that runs in the pods; it knows nothing of the other modules.

Five pods on one node measure it. Two namespaces have the policies of two made-up leases of the node's pool, which ask
for all egress that the pool allows; the third has no policies. What a pod of the second lease cannot reach counts as
closed only where a pod that may reach it did so at the same time.
"""
