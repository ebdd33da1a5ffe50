"""Which cluster `up` uses, and that it is never a stranger's production."""

import pytest

from hack.cluster import provider
from hack.cluster.errors import ClusterError


def unasked() -> bool:
    """Where the choice is made already, Docker is not asked; it may take seconds to answer."""
    pytest.fail("Docker was asked")


@pytest.mark.parametrize("name", provider.PROVIDERS)
def test_what_is_asked_for_is_what_is_used(name: str) -> None:
    """An argument beats the environment."""
    assert provider.choose(name, {provider.VARIABLE: "other"}, kind_works=unasked) == name


@pytest.mark.parametrize("name", provider.PROVIDERS)
def test_the_environment_decides_where_no_argument_does(name: str) -> None:
    """So `SUBLET_CLUSTER=kubeconfig make test` is a way to say it once."""
    assert provider.choose("auto", {provider.VARIABLE: name}, kind_works=unasked) == name


@pytest.mark.parametrize(("works", "expected"), [(True, "kind"), (False, "embedded")])
def test_kind_is_used_where_it_works(works: bool, expected: str) -> None:  # noqa: FBT001 - a table's column
    """And our own control plane everywhere else."""
    assert provider.choose("auto", {}, kind_works=lambda: works) == expected


def test_a_kubeconfig_in_the_shell_is_not_consent() -> None:
    """The tests delete nodes and namespaces, so KUBECONFIG alone selects nothing, and that is said."""
    shell = {"KUBECONFIG": "/home/user/production"}
    assert provider.choose("auto", shell, kind_works=lambda: False) == "embedded"
    assert "not used" in provider.warning("embedded", shell)
    assert not provider.warning("kubeconfig", shell)
    assert not provider.warning("embedded", {})


def test_a_misspelt_provider_is_refused() -> None:
    """Falling back to something else would be a surprise."""
    with pytest.raises(ClusterError, match="expected auto, embedded"):
        provider.choose("auto", {provider.VARIABLE: "knid"}, kind_works=unasked)
