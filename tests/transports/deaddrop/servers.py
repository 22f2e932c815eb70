"""Real servers on this machine for storages: rclone (WebDAV, S3, SFTP), moto (S3), and asyncssh (SFTP)."""

import asyncio
import os
import pwd
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

PASSWORD = "a-password"
BIN = Path(sys.executable).parent
_START_S = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _running(port: int, *command: str) -> AsyncGenerator[None]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "RCLONE_CONFIG": ""},
    )
    try:
        async with asyncio.timeout(_START_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def rclone(kind: str, folder: Path) -> AsyncGenerator[str]:
    """Serve a folder; give the URL of the folder `drop` in it."""
    (folder / "drop").mkdir(parents=True)
    port = _free_port()
    login = ["--auth-key", f"anna,{PASSWORD}"] if kind == "s3" else ["--user", "anna", "--pass", PASSWORD]
    command = (str(BIN / "rclone"), "serve", kind, str(folder), "--addr", f"127.0.0.1:{port}", *login)
    async with _running(port, *command, "--dir-cache-time", "50ms"):
        scheme = {"webdav": "dav", "s3": "s3http", "sftp": "sftp"}[kind]
        yield f"{scheme}://anna@127.0.0.1:{port}/drop"


@asynccontextmanager
async def moto() -> AsyncGenerator[str]:
    """Serve S3 out of memory; give the URL of a bucket, which anybody may use."""
    port = _free_port()
    async with _running(port, str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(port)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"PUT /drop HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        assert b" 200 " in await reader.readline()
        await reader.read()
        writer.close()
        yield f"s3http://anna@127.0.0.1:{port}/drop"


class _Login(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("anna", PASSWORD)


@asynccontextmanager
async def ssh(folder: Path) -> AsyncGenerator[str]:
    """Serve a folder by SFTP, with links."""
    (folder / "drop").mkdir(parents=True)

    def serve(channel: "asyncssh.SSHServerChannel[bytes]") -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(folder).encode())

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=_Login,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],  # pyright: ignore[reportUnknownMemberType]
        sftp_factory=serve,
    )
    try:
        yield f"sftp://anna@127.0.0.1:{server.get_port()}/drop"
    finally:
        server.close()
        await server.wait_closed()


def _lay_out(folder: Path, settings: str, owner: pwd.struct_passwd) -> None:
    folder.chmod(0o755)
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    (folder / "dovecot.conf").write_text(settings)


@asynccontextmanager
async def mail() -> AsyncGenerator[str]:
    """Serve IMAP by dovecot; give the URL of a mail folder."""
    port = _free_port()
    folder = Path(tempfile.mkdtemp(prefix="drop-mail-"))
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    settings = f"""
        protocols = imap
        listen = 127.0.0.1
        base_dir = {folder}/run
        log_path = {folder}/log
        ssl = no
        disable_plaintext_auth = no
        mail_location = maildir:{folder}/mail
        passdb {{
          driver = static
          args = password={PASSWORD}
        }}
        userdb {{
          driver = static
          args = uid={owner.pw_uid} gid={owner.pw_gid} home={folder}/mail
        }}
        service imap-login {{
          inet_listener imap {{
            port = {port}
          }}
        }}
    """
    try:
        _lay_out(folder, settings, owner)
        async with _running(port, "/usr/sbin/dovecot", "-F", "-c", str(folder / "dovecot.conf")):
            yield f"imap://anna@127.0.0.1:{port}/INBOX"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def storage_url(kind: str, folder: Path) -> AsyncGenerator[str]:
    """Give the URL of a storage of one kind, with its server running."""
    if kind == "folder":
        (folder / "drop").mkdir()
        yield (folder / "drop").as_uri()
    elif kind == "s3":
        async with moto() as url:
            yield url
    elif kind == "mail":
        async with mail() as url:
            yield url
    elif kind == "sftp":
        async with ssh(folder / "served") as url:
            yield url
    else:
        async with rclone(kind.removeprefix("rclone-"), folder / "served") as url:
            yield url
