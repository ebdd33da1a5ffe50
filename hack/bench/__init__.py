"""Measurements of a lease on a real API server, each beside a baseline of the same run. They assert nothing."""
