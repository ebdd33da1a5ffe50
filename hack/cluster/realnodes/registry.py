"""A registry that serves an OCI image layout by the distribution API, to be pulled from and no more.

Standard library only: it runs under `python -I -S`.
"""

import json
import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME = "org.opencontainers.image.ref.name"


def handler(layout: Path) -> type[BaseHTTPRequestHandler]:
    """What answers each request from a layout, as it is then."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            manifests = json.loads((layout / "index.json").read_text())["manifests"]
            tags: dict[str, str] = {each["annotations"][NAME]: each["digest"] for each in manifests}
            kinds = {each["digest"]: each["mediaType"] for each in manifests}
            asked = re.fullmatch(r"/v2/([a-z0-9/]+)/(?:manifests|blobs)/([A-Za-z0-9:._-]+)", self.path.split("?")[0])
            digest = tags.get(f"{asked[1]}:{asked[2]}", asked[2]) if asked else ""
            blob = layout / "blobs" / digest.replace(":", "/")
            if self.path == "/v2/":
                self._answer(b"{}", "application/json")
            elif re.fullmatch(r"sha256:[0-9a-f]{64}", digest) and blob.exists():
                self._answer(blob.read_bytes(), kinds.get(digest, "application/octet-stream"), digest)
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _answer(self, body: bytes, kind: str, digest: str = "") -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if digest:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    return Handler


def main(layout: str, address: str, port: str) -> None:
    """Serve until killed."""
    ThreadingHTTPServer((address, int(port)), handler(Path(layout))).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
