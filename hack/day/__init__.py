"""A day of an operator's life, compressed: leases of every kind on many nodes, judged from the API server's side."""
