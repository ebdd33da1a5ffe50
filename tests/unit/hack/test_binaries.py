"""Where the control plane's binaries come from, and when they are compiled anew."""

import shutil
from pathlib import Path

import pytest

from hack.cluster import binaries, golang
from hack.cluster.errors import ClusterError


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A copy of the pinned modules, to be changed at will."""
    return Path(shutil.copytree(golang.MODULES, tmp_path / "modules"))


@pytest.fixture
def never_compiled() -> binaries.Say:
    """Anything that is said is a sign of compiling: fail."""
    return pytest.fail


def executable(path: Path) -> Path:
    """Make something that looks like a binary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_the_same_pins_in_another_checkout_share_the_cache(modules: Path) -> None:
    """The hash is over content, not over paths or times."""
    assert binaries.content_hash(modules) == binaries.content_hash()


FILES = [
    (module, path.relative_to(golang.MODULES / module.name))
    for module in (*binaries.MODULES, *binaries.NODE_MODULES, *binaries.TEST_MODULES)
    for path in (golang.MODULES / module.name).rglob("*")
    if path.is_file()
]


@pytest.mark.parametrize(("module", "file"), FILES, ids=lambda value: getattr(value, "name", ""))
def test_every_pin_and_every_source_counts(modules: Path, module: binaries.Module, file: Path) -> None:
    """One more line in any go.mod, go.sum or program of our own asks for other binaries."""
    with (modules / module.name / file).open("a") as pins:
        pins.write("// changed\n")
    of = binaries.MODULES if module in binaries.MODULES else (module,)
    assert binaries.content_hash(modules, of) != binaries.content_hash(of=of)


def test_kubelets_are_of_the_api_servers_version() -> None:
    """The version is stamped from one of two pins."""
    pins = (golang.MODULES / "node-kubernetes/go.mod").read_text()
    assert f"k8s.io/kubernetes {binaries.kubernetes_version()} " in pins


def test_the_version_stamped_into_kubernetes_is_the_pinned_one(modules: Path) -> None:
    """`kubectl version` tells what go.mod says, so that no second place has to."""
    pins = modules / "kubernetes" / "go.mod"
    pins.write_text(pins.read_text().replace(binaries.kubernetes_version(), "v1.99.7"))
    kubernetes = next(module for module in binaries.MODULES if module.name == "kubernetes")
    stamp = binaries.build_flags(kubernetes, modules)[-1]
    assert "version.gitVersion=v1.99.7" in stamp
    assert "version.gitMinor=99" in stamp


def test_assets_go_first_and_the_cache_fills_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, never_compiled: binaries.Say
) -> None:
    """KUBEBUILDER_ASSETS usually holds three of the seven binaries; the others come from the cache."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("SUBLET_CACHE", str(tmp_path / "cache"))
    given = {name: executable(tmp_path / "assets" / name) for name in ("etcd", "kube-apiserver", "kubectl")}
    kept = {name: executable(binaries.cache() / binaries.content_hash() / name) for name in binaries.ALL}
    assert binaries.resolve(never_compiled) == kept | given


def test_assets_that_are_no_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt KUBEBUILDER_ASSETS must not lead to ten minutes of compiling."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "absent"))
    with pytest.raises(ClusterError, match="not a folder"):
        binaries.resolve(pytest.fail)


def test_the_users_go_settings_do_not_reach_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither another platform nor -mod=vendor of some other project."""
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOOS", "plan9")
    environment = golang.environment()
    assert environment["GOFLAGS"] == "-mod=readonly"
    assert "GOOS" not in environment


@pytest.mark.parametrize("text", ["go version go1.26.8 linux/amd64", "go1.26.8", "1.26.8"])
def test_go_versions_compare_as_numbers(text: str) -> None:
    """1.26.8 is older than 1.26.10, whatever it is wrapped in."""
    assert (1, 26) < golang.parse(text) < golang.parse("go1.26.10")
