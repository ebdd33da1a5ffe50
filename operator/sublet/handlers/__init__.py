"""The shell: the only room that imports kopf. Handlers say whom to look at, and nothing else."""
