"""A real Caddy in front of a relay, with a certificate of a test's own authority."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import trustme
import wreq

CADDY: Final = shutil.which("caddy")
needs_caddy = pytest.mark.skipif(CADDY is None, reason="caddy is missing (Debian: apt-get install caddy)")
AUTHORITY: Final = trustme.CA()


def trusted(authority: trustme.CA = AUTHORITY) -> wreq.CertStore:
    return wreq.CertStore.from_pem_certs([authority.cert_pem.bytes().decode()])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int, upstream: int) -> subprocess.Popen[bytes]:
    assert CADDY is not None
    folder.mkdir(exist_ok=True)
    certificate = AUTHORITY.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    (folder / "cert.pem").write_bytes(chain)
    (folder / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n storage file_system " + str(folder / "store") + "\n}\n"
        f"https://localhost:{port} {{\n bind 127.0.0.1\n tls {folder}/cert.pem {folder}/key.pem\n"
        f" reverse_proxy 127.0.0.1:{upstream}\n}}\n"
    )
    command = [CADDY, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


@asynccontextmanager
async def front(folder: Path, upstream: int) -> AsyncGenerator[int]:
    """Run Caddy and give the port where it speaks TLS, for whatever listens at `upstream`."""
    port = free_port()
    process = start(folder, port, upstream)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    assert process.poll() is None, (folder / "log").read_text()
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    break
        yield port
    finally:
        process.terminate()
        process.wait()
