"""The agent of one node: whatever changes, it looks at everything again and replaces the node's table at once.

When it dies the table stays: what was let through still is, and pods that come later are cut off.
"""

import base64
import http.client
import json
import shutil
import ssl
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from hack.cluster.api import Connection
from hack.cluster.errors import ClusterError
from hack.cluster.policies.selectors import Raw, known
from hack.cluster.policies.table import table

# In this order: a policy that was there when a pod came is among those that are read after the pod.
PATHS = ("/api/v1/pods", "/api/v1/namespaces", "/apis/networking.k8s.io/v1/networkpolicies")
GATHERED_SECONDS = 0.05
AGAIN_SECONDS = 0.5
LOOK_SECONDS = 10.0
WATCH_SECONDS = 25


class Agent:
    """One node's agent, and how it reaches the API server."""

    def __init__(self, node: str, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.node = node
        self._server: str = cluster["server"]
        self._context = ssl.create_default_context(cadata=authority)
        self._token: str = config["users"][0]["user"]["token"]
        self._changed = threading.Event()
        self._changed.set()

    def run(self, ready: Path) -> None:
        """Keep the table as the policies are, for ever."""
        for path in PATHS:
            threading.Thread(target=self._watch, args=(path,), daemon=True).start()
        in_force = ""
        while True:
            self._changed.wait(LOOK_SECONDS)
            time.sleep(GATHERED_SECONDS)
            self._changed.clear()
            try:
                wanted = self.wanted()
                if wanted != in_force:
                    apply(wanted)
                    in_force = wanted
                    ready.touch()
            except (OSError, http.client.HTTPException, ClusterError) as error:
                print(error, flush=True)
                time.sleep(AGAIN_SECONDS)
                self._changed.set()

    def wanted(self) -> str:
        """The table as it is to be now."""
        with closing(self._connect()) as connection:
            pods, namespaces, policies = (_items(connection, path) for path in PATHS)
        return table(self.node, list(known(pods, namespaces)), policies)

    def _watch(self, path: str) -> None:
        while True:
            try:
                with closing(self._connect()) as connection:
                    for _ in connection.lines(f"{path}?watch=true&timeoutSeconds={WATCH_SECONDS}"):
                        self._changed.set()
            except (OSError, http.client.HTTPException, ClusterError) as error:
                print(f"{path}: {error}", flush=True)
                time.sleep(AGAIN_SECONDS)

    def _connect(self) -> Connection:
        return Connection(self._server, self._context, self._token)


def _items(connection: Connection, path: str) -> list[Raw]:
    answer: dict[str, Any] = connection.call("GET", path).accept().json()
    items: list[Raw] = answer["items"]
    return items


def apply(wanted: str) -> None:
    """Replace the table in the network namespace that this runs in."""
    done = subprocess.run(
        [str(shutil.which("nft")), "-f", "-"], input=wanted, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ClusterError(f"nft refuses: {done.stderr.strip()}")


def main(node: str, kubeconfig: str, ready: str) -> None:
    """Run for ever; make the file `ready` once the first table is in force."""
    Agent(node, Path(kubeconfig)).run(Path(ready))
