"""Time and capacity, as a pure library of the standard library alone.

It knows nodes, intervals and bookings by name and nothing of Kubernetes; `plan.translate` is the bridge.
"""
