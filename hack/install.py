"""Install the chart without its Deployment, and get a kubeconfig for an operator that runs outside the cluster.

    installed = install(cluster.kubeconfig, cluster.bin)
    subprocess.Popen([sys.executable, "-m", "sublet", "run"], env={**os.environ, "KUBECONFIG": installed.kubeconfig})

The operator then has the rights that the chart grants, and no others. `python -m hack.install` is the same on the
command line.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.errors import ClusterError
from hack.cluster.pki import private

CHART = Path(__file__).resolve().parents[1] / "charts" / "sublet"
RELEASE = "sublet"
SERVICE_ACCOUNT = "sublet"
NAMESPACE = "sublet-system"


@dataclass(frozen=True)
class Installed:
    """What was installed.

    Attributes:
        namespace: Where the release is.
        kubeconfig: The operator's own, with a token of its ServiceAccount that is good for a day.
    """

    namespace: str
    kubeconfig: Path


def install(
    kubeconfig: Path,
    bin: Path,  # noqa: A002 - that is what the folder is called
    *,
    namespace: str = NAMESPACE,
    values: Mapping[str, object] | None = None,
) -> Installed:
    """Install the chart, or upgrade it, and wait until it is in place.

    Args:
        kubeconfig: The administrator's.
        bin: The folder of helm and kubectl.
        namespace: Where to; it is made if it is not there.
        values: Values of the chart, besides `deployment.enabled`, which is false unless they say otherwise.

    Raises:
        ClusterError: Helm or kubectl refused; the message is theirs.
    """
    given = json.dumps({"deployment": {"enabled": False}, **(values or {})})
    target = ("--namespace", namespace, "--kubeconfig", str(kubeconfig))
    _run(
        bin / "helm", "upgrade", "--install", RELEASE, str(CHART), *target,
        "--create-namespace", "--wait", "--values", "-", stdin=given,
    )  # fmt: skip
    own = operator_kubeconfig(kubeconfig)
    token = _run(bin / "kubectl", "create", "token", SERVICE_ACCOUNT, "--duration", "24h", *target).strip()
    view = _run(
        bin / "kubectl", "config", "view", "--raw", "--minify", "--flatten", "--output", "json",
        "--kubeconfig", str(kubeconfig),
    )  # fmt: skip
    private(own, _with_token(view, token).encode())
    return Installed(namespace, own)


def uninstall(kubeconfig: Path, bin: Path, *, namespace: str = NAMESPACE) -> None:  # noqa: A002
    """Take the release away, if it is there. CRDs stay, and so does whatever belongs to a lease: end leases first."""
    _run(
        bin / "helm", "uninstall", RELEASE, "--namespace", namespace, "--kubeconfig", str(kubeconfig),
        "--wait", "--ignore-not-found",
    )  # fmt: skip
    operator_kubeconfig(kubeconfig).unlink(missing_ok=True)


def operator_kubeconfig(kubeconfig: Path) -> Path:
    """Where the operator's kubeconfig is: beside the administrator's."""
    return kubeconfig.with_name("operator.kubeconfig")


def _with_token(view: str, token: str) -> str:
    """A kubeconfig of one context, with its user replaced by a token."""
    config = json.loads(view)
    context = {"cluster": config["clusters"][0]["name"], "user": SERVICE_ACCOUNT}
    config["users"] = [{"name": SERVICE_ACCOUNT, "user": {"token": token}}]
    config["contexts"] = [{"name": SERVICE_ACCOUNT, "context": context}]
    config["current-context"] = SERVICE_ACCOUNT
    return json.dumps(config, indent=2)


def _run(program: Path, *arguments: str, stdin: str | None = None) -> str:
    try:
        done = subprocess.run([program, *arguments], input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ClusterError(f"There is no {program}.") from error
    if done.returncode:
        raise ClusterError(f"{program.name} {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Install or uninstall; prints the path of the operator's kubeconfig."""
    parser = argparse.ArgumentParser(prog="python -m hack.install", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the administrator's")
    parser.add_argument("--bin", type=Path, required=True, help="the folder of helm and kubectl")
    parser.add_argument("--namespace", default=NAMESPACE, help="default: %(default)s")
    parser.add_argument("--uninstall", action="store_true", help="take the release away again")
    given = parser.parse_args(argv)
    try:
        if given.uninstall:
            uninstall(given.kubeconfig, given.bin, namespace=given.namespace)
        else:
            print(install(given.kubeconfig, given.bin, namespace=given.namespace).kubeconfig)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
