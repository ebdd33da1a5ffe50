"""Measurements of leases on real nodes, with containers that run."""
