"""Commands for people: each asks the cluster with the caller's own credentials, prints, and says by its exit code."""
