"""Who may speak to a cluster, and how the files that say so are kept."""

import json
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from hack.cluster import credentials, pki
from hack.cluster.errors import ClusterError


def test_tokens_are_found_by_context_and_by_user_name(tmp_path: Path) -> None:
    """Each identity has a token of its own."""
    file = tmp_path / "tokens.csv"
    tokens = credentials.issue(file)
    assert len(set(tokens.values())) == len(tokens)
    assert credentials.read(file, "alice") == tokens["alice"]
    assert credentials.read(file, "alice@acme.example") == tokens["alice"]
    with pytest.raises(ClusterError, match="mallory"):
        credentials.read(file, "mallory")


def test_only_the_owner_reads_keys_tokens_and_kubeconfigs(tmp_path: Path) -> None:
    """Other users of the machine can reach the loopback address too."""
    pki.write(tmp_path, "10.96.0.1")
    tokens = credentials.issue(tmp_path / "tokens.csv")
    kubeconfig, authority = tmp_path / "kubeconfig", tmp_path / "ca.crt"
    credentials.write_kubeconfig(kubeconfig, cluster="c", server="https://x", ca=authority, tokens=tokens)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_a_kubeconfig_verifies_the_server_and_starts_as_the_administrator(tmp_path: Path) -> None:
    """Nothing in it says insecure-skip-tls-verify."""
    pki.write(tmp_path, "10.96.0.1")
    path = tmp_path / "kubeconfig"
    tokens = {"admin": "one", "alice": "two"}
    credentials.write_kubeconfig(path, cluster="c", server="https://x", ca=tmp_path / "ca.crt", tokens=tokens)
    config = json.loads(path.read_text())
    assert config["current-context"] == "admin"
    assert [context["name"] for context in config["contexts"]] == ["admin", "alice"]
    assert config["clusters"][0]["cluster"].keys() == {"server", "certificate-authority-data"}


def test_the_people_of_a_borrowed_cluster_are_impersonated() -> None:
    """Its API server does not know our tokens, but sees the same users and groups."""
    administrator = {"client-certificate-data": "x"}
    borrowed = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kind-dev", "cluster": {"server": "https://x"}}],
        "users": [{"name": "kind-dev", "user": administrator}],
        "contexts": [{"name": "kind-dev", "context": {"cluster": "kind-dev", "user": "kind-dev"}}],
        "current-context": "kind-dev",
    }
    config = credentials.with_people(borrowed)
    users = {each["name"]: each["user"] for each in config["users"]}
    assert users["admin"] == administrator
    assert users["bob"] == {**administrator, "as": "bob@globex.example", "as-groups": ["globex"]}
    assert config["current-context"] == "admin"


def test_the_serving_certificate_verifies_strictly(tmp_path: Path) -> None:
    """For loopback and for the `kubernetes` Service, against this cluster's CA and no other."""
    pki.write(tmp_path / "one", "10.96.0.1")
    pki.write(tmp_path / "two", "10.96.0.1")
    server = x509.load_pem_x509_certificate((tmp_path / "one" / "server.crt").read_bytes())

    def verify(cluster: str, name: str) -> None:
        authority = x509.load_pem_x509_certificate((tmp_path / cluster / "ca.crt").read_bytes())
        verifier = PolicyBuilder().store(Store([authority])).build_server_verifier(x509.DNSName(name))
        verifier.verify(server, [])

    verify("one", "kubernetes.default.svc")
    with pytest.raises(x509.verification.VerificationError):
        verify("two", "kubernetes.default.svc")
    with pytest.raises(x509.verification.VerificationError):
        verify("one", "example.com")
