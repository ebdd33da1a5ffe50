"""Policy: may this lease be had as it is written? Pure; ordered rules over one gathered input."""
