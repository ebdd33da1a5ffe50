"""Measurements of a lease on a real API server; `planner` and `quality` need none, `nodes` runs containers as well.

They assert nothing.
"""
