"""What a lease should look like in the cluster: a tenancy in, manifests out. Pure; one module per concern."""
