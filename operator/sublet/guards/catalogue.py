"""The catalogue: every policy that the chart ships, and every attack that they are there for."""

from sublet.guards import metadata, objects, pods, time
from sublet.guards.attacks import metadata as metadata_attacks
from sublet.guards.attacks import objects as object_attacks
from sublet.guards.attacks import pods as pod_attacks
from sublet.guards.attacks import quota as quota_attacks
from sublet.guards.attacks import rights as rights_attacks
from sublet.guards.attacks import time as time_attacks
from sublet.guards.attacks.attack import Attack
from sublet.guards.rule import Mutation, Policy

POLICIES: tuple[Policy, ...] = (*pods.POLICIES, *objects.POLICIES, *time.POLICIES, *metadata.POLICIES)
"""What refuses."""

MUTATIONS: tuple[Mutation, ...] = pods.MUTATIONS
"""What completes, on clusters that serve such policies. Nothing rests on it: what it would add is demanded."""

ATTACKS: tuple[Attack, ...] = (
    *pod_attacks.ATTACKS,
    *object_attacks.ATTACKS,
    *quota_attacks.ATTACKS,
    *time_attacks.ATTACKS,
    *metadata_attacks.ATTACKS,
    *rights_attacks.ATTACKS,
)
"""What a tenant of a lease may try."""
