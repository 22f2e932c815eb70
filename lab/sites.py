"""Web sites outside: the decoy, and what somebody wants blocked, in every network; a Caddy's, over HTTP/2.

`/N` is N bytes, for N of `SIZES`; `/` is a page whose script of 100 kB calls it `WHOLE` once it has run.
"""

import shutil
import socket
import subprocess
import time
from typing import Final

import trustme

from lab.places import OTHERS, PLACES, WHO
from lab.world import LabError, World

SIZES: Final = (1_000, 20_000, 100_000)
WHOLE: Final = "the page is whole"
_START_S: Final = 30.0
_PAGE: Final = '<!doctype html><title>not yet</title><script src="/script.js"></script><p>A page.\n'


def why_not() -> str | None:
    """Say why there can be no sites here, or nothing if there can."""
    return None if shutil.which("caddy") else "the lab's sites need Caddy (Debian: caddy)"


def serve_sites(world: World) -> None:
    """Start the sites of a world; they end with it. Raises `LabError`."""
    folder = world.folder / "sites"
    served = folder / "served"
    served.mkdir(parents=True)
    for size in SIZES:
        (served / str(size)).write_bytes(bytes(size))
    (served / "index.html").write_text(_PAGE)
    script = f'document.title = "{WHOLE}";\n'
    (served / "script.js").write_text(script + "//" + "x" * (100_000 - len(script)))
    names = [f"{wild}.{place.name}.example" for place in PLACES for wild in ("*", "www.blocked", "www.decoy")]
    certificate = trustme.CA().issue_cert(*names, *OTHERS)
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    addresses = [place.at(WHO[who]) for place in PLACES for who in ("blocked", "decoy")]
    (folder / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n servers {\n  protocols h1 h2\n }\n}\n"
        f":443 {{\n bind {' '.join(addresses)}\n tls {folder}/cert.pem {folder}/key.pem\n"
        f" root * {served}\n file_server\n}}\n"
    )
    homes = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    with (folder / "log").open("wb") as log:
        command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        process = world.start("outside", command, stdout=log, stderr=subprocess.STDOUT, env=homes)
    until = time.monotonic() + _START_S
    while not world.inside("outside", _is_open, addresses):
        if process.poll() is not None or time.monotonic() > until:
            raise LabError("the sites don't start: " + (folder / "log").read_text()[-500:])
        time.sleep(0.05)


def _is_open(addresses: list[str]) -> bool:
    try:
        for address in addresses:
            socket.create_connection((address, 443), 1).close()
    except OSError:
        return False
    return True
