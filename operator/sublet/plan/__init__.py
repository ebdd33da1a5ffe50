"""Plans: what was observed and what is desired, turned into ordered steps and a status. Pure."""
