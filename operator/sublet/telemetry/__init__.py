"""Telemetry: metrics and events, each declared once. Logs go through the standard library's logging."""
