"""The cluster: the only room that imports the Kubernetes client, and the only one where HTTP codes appear."""
