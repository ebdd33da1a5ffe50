"""Attacks: what a hostile tenant may try, as data, each with the guard that must stop it."""
