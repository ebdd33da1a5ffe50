"""Measurements of a lease on a real API server; `planner` and `quality` need none. They assert nothing."""
