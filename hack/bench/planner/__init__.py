"""How fast the calendar of a large pool answers."""
