"""A relay as people run one: behind Caddy, which speaks TLS for it under the names of an ordinary site."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trustme

from bench.processes import RAISED_QUOTAS
from lab.processes import Where, running, stop, wait_for_port

CADDY: Final = shutil.which("caddy")
RELAY_PATH: Final = "/kp7w2m9x/"
"""Where the relay is; everything else on the site is a page with a text."""
_SERVE_RELAY: Final = """
import sys
from pathlib import Path
from skvoz.server import create_home, read_settings, serve
home = create_home(Path(sys.argv[1]))
serve(home.folder, read_settings(home.config_file),
      lambda service: print(service.port, service.public_key.hex(), flush=True))
"""
_PAGE: Final = "<!doctype html><title>Notes</title><h1>Notes</h1><p>Walks, birds, weather.</p>\n" * 20


@dataclass(frozen=True, slots=True)
class Front:
    """A name under which the site is served, and the address that it has."""

    name: str
    ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A relay that runs, and where it is reached from outside."""

    port: int
    public_key: bytes
    authority: Path
    fronts: tuple[Front, ...] = field(default=())

    def url(self, scheme: str, name: str) -> str:
        """Return the relay's address under one of its names."""
        port = "" if self.port == 443 else f":{self.port}"
        return f"{scheme}://{name}{port}{RELAY_PATH}"


class Authority:
    """The lab's own certificate authority, in a file that programs are told to trust."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Make a certificate for a name; return its file and its key's."""
        certificate = self._authority.issue_cert(name)
        chain, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(key)
        return chain, key


@contextlib.contextmanager
def site(
    folder: Path,
    where: Where,
    authority: Authority,
    fronts: tuple[Front, ...],
    port: int,
    *,
    carries_anywhere: bool = False,
) -> Generator[Site]:
    """Run a relay and Caddy in a where while the block runs.

    `carries_anywhere`: it carries sessions to the lab's addresses too, which are nobody's in the world.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _relay(folder / "relay", where, authority, carries_anywhere=carries_anywhere) as (
        upstream,
        public_key,
    ):
        words = _caddy(folder / "caddy", authority, fronts, port, upstream)
        home = str(folder / "caddy")
        environment = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        with running(where, words, folder / "caddy.log", environment):
            wait_for_port(where, fronts[0].ip, port)
            yield Site(port=port, public_key=public_key, authority=authority.file, fronts=fronts)


@contextlib.contextmanager
def _relay(
    folder: Path, where: Where, authority: Authority, *, carries_anywhere: bool
) -> Generator[tuple[int, bytes]]:
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "relay.toml").write_text(
        f'listen = "127.0.0.1:0"\npath = "{RELAY_PATH}"\nreserve_bytes = 1\n'
        f"carry_local = {str(carries_anywhere).lower()}\n[quotas]\n{RAISED_QUOTAS}"
    )
    environment = {**os.environ, "SSL_CERT_FILE": str(authority.file)}
    command = where.command(sys.executable, "-c", _SERVE_RELAY, str(folder))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            port, public_key = process.stdout.readline().split()
            yield int(port), bytes.fromhex(public_key.decode())
        finally:
            stop(process)


def _caddy(
    folder: Path, authority: Authority, fronts: tuple[Front, ...], port: int, upstream: int
) -> list[str]:
    if CADDY is None:
        raise FileNotFoundError("caddy is missing (Debian: apt-get install caddy)")
    folder.mkdir(exist_ok=True)
    pages = folder / "pages"
    pages.mkdir(exist_ok=True)
    (pages / "index.html").write_text(_PAGE)
    blocks = ["{\n admin off\n auto_https off\n servers {\n  protocols h1 h2\n }\n}\n"]
    for front in fronts:
        chain, key = authority.issue(front.name)
        blocks.append(
            f"https://{front.name}:{port} {{\n bind {front.ip}\n tls {chain} {key}\n"
            f" handle {RELAY_PATH}* {{\n  reverse_proxy 127.0.0.1:{upstream}\n }}\n"
            f" handle {{\n  root * {pages}\n  file_server\n }}\n}}\n"
        )
    (folder / "Caddyfile").write_text("".join(blocks))
    return [CADDY, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
