"""Whatever a tenant tries is refused by the guard that is there for it, and each guard is there for something."""

import pytest

from sublet.guards.attacks import pods
from sublet.guards.attacks.attack import Attack
from sublet.guards.catalogue import ATTACKS
from tests.apiserver.attacker import Attacker
from tests.apiserver.leased import Scenes


def named(attack: Attack) -> str:
    """Its name."""
    return attack.name


def test_every_attack_has_a_name_of_its_own() -> None:
    names = [attack.name for attack in (*ATTACKS, *pods.ON_PODS, *pods.ON_RESTRICTED, *pods.BY_ADMIN, *pods.UNAIDED)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("attack", [*ATTACKS, *pods.ON_PODS], ids=named)
def test_an_attack_is_stopped_by_its_guard(tenant: Attacker, scenes: Scenes, attack: Attack) -> None:
    answer = tenant.try_out(attack.request(scenes.baseline))
    assert answer.stopped_by == attack.stopped_by, answer.message


@pytest.mark.parametrize("attack", pods.ON_RESTRICTED, ids=named)
def test_an_attack_is_stopped_where_more_is_demanded(tenant: Attacker, scenes: Scenes, attack: Attack) -> None:
    answer = tenant.try_out(attack.request(scenes.restricted))
    assert answer.stopped_by == attack.stopped_by, answer.message


@pytest.mark.parametrize("attack", pods.BY_ADMIN, ids=named)
def test_the_guards_hold_though_all_rights_are_given(admin: Attacker, scenes: Scenes, attack: Attack) -> None:
    """RBAC keeps a tenant from these kinds; an owner may think otherwise one day."""
    answer = admin.try_out(attack.request(scenes.baseline))
    assert answer.stopped_by == attack.stopped_by, answer.message
