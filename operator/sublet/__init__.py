"""Sublet rents surplus GPU nodes of a Kubernetes fleet to outside, untrusted tenants."""

__version__ = "0.1.0"
