"""Peers that speak one protocol: ours and ts-mls as processes, mls-rs in this one.

`peer.ask("encrypt", data=b"…")` returns the answer's fields, bytes again, or raises `PeerRefusedError`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, cast

import pytest

_HERE = Path(__file__).parent
_REPOSITORY = _HERE.parent.parent
_CACHE = _REPOSITORY / ".venv" / "interop"
_ANSWER_SECONDS = 60
_TEXT_FIELDS = {"id", "op", "name", "suite", "label", "error"}


class PeerRefusedError(Exception):
    """The peer answered `ok: false`; the text is its error."""


class Peer(Protocol):
    """Somebody in a group; all have the operations of mls_peer.py, mls-rs only some."""

    kind: str

    def ask(self, operation: str, /, **fields: Any) -> dict[str, Any]:
        """Do one operation."""
        ...


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_to_json(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _from_json(name: str, value: Any) -> Any:
    return bytes.fromhex(value) if isinstance(value, str) and name not in _TEXT_FIELDS else value


class ProcessPeer:
    """A program with one request and one answer a line."""

    def __init__(self, kind: str, command: list[str]) -> None:
        self.kind = kind
        self._number = 0
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_REPOSITORY
        )

    def ask(self, operation: str, /, **fields: Any) -> dict[str, Any]:
        """Send one request; raise `PeerRefusedError` for `ok: false`."""
        self._number += 1
        request = {"id": self._number, "op": operation}
        request |= {name: _to_json(value) for name, value in fields.items()}
        answer = self.ask_raw(json.dumps(request))
        assert answer["id"] == self._number
        if not answer["ok"]:
            raise PeerRefusedError(answer["error"])
        return {name: _from_json(name, value) for name, value in answer.items()}

    def ask_raw(self, line: str) -> dict[str, Any]:
        """Send one line as it is, and return the answer as it is."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        watchdog = threading.Timer(_ANSWER_SECONDS, self._process.kill)
        watchdog.start()
        try:
            stdin.write(line + "\n")
            stdin.flush()
            answer = stdout.readline()
        finally:
            watchdog.cancel()
            watchdog.join()
        assert answer, f"{self.kind} ended or hung"
        return json.loads(answer)

    def close(self) -> int:
        """Close the peer's input and return its exit code."""
        self._process.communicate(timeout=_ANSWER_SECONDS)
        return self._process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self.close()


def our_command() -> list[str]:
    """Return the command that starts our peer."""
    return [sys.executable, str(_HERE / "mls_peer.py")]


def ts_command() -> list[str]:
    """Return the command that starts ts-mls, installed on first use; skip where that can't be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return _missing("node and npm are not here (Debian: nodejs npm)")
    _CACHE.mkdir(parents=True, exist_ok=True)
    lock = (_HERE / "ts" / "package-lock.json").read_bytes()
    with (_CACHE / "busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        stamp = _CACHE / "installed"
        if not stamp.exists() or stamp.read_bytes() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(_HERE / "ts" / name, _CACHE / name)
            install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(install, cwd=_CACHE, capture_output=True, check=False)
            if done.returncode:
                return _missing("npm could not fetch ts-mls")
            stamp.write_bytes(lock)
        for script in (_HERE / "ts").glob("*.js"):
            if not (_CACHE / script.name).exists() or (
                (_CACHE / script.name).read_bytes() != script.read_bytes()
            ):
                shutil.copyfile(script, _CACHE / script.name)
    return [node, str(_CACHE / "peer.js")]


def _missing(reason: str) -> list[str]:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class MlsRsPeer:
    """mls-rs behind the same operations; suite 1 only, and no authenticator."""

    kind = "mls-rs"

    def __init__(self) -> None:
        self._library: Any = pytest.importorskip("mls_rs_uniffi")
        self._client: Any = None
        self._group: Any = None
        self._identities: dict[int, Any] = {}

    def ask(self, operation: str, /, **fields: Any) -> dict[str, Any]:
        """Do one operation; raise `PeerRefusedError` where mls-rs does."""
        try:
            return getattr(self, f"_{operation}")(**fields)
        except self._library.Error as error:
            raise PeerRefusedError(f"{type(error).__name__}: {error}") from None

    def _init(self, suite: int, name: str) -> dict[str, Any]:
        assert suite == 1
        keys = self._library.generate_signature_keypair(self._library.CipherSuite.CURVE25519_AES128)
        self._client = self._library.Client(name.encode(), keys, self._library.client_config_default())
        return {}

    def _key_package(self) -> dict[str, Any]:
        return {"key_package": self._client.generate_key_package_message().to_bytes()}

    def _create(self, group_id: bytes) -> dict[str, Any]:
        self._group = self._client.create_group(group_id)
        return {"epoch": 0}

    def _add(self, key_packages: list[bytes]) -> dict[str, Any]:
        return self._merge(self._group.add_members([self._message(data) for data in key_packages]))

    def _propose_add(self, key_package: bytes) -> dict[str, Any]:
        (message,) = self._group.propose_add_members([self._message(key_package)])
        return {"message": message.to_bytes()}

    def _remove(self, leaf: int) -> dict[str, Any]:
        return self._merge(self._group.remove_members([self._identities[leaf]]))

    def _update(self) -> dict[str, Any]:
        return self._merge(self._group.commit())

    def _merge(self, output: Any) -> dict[str, Any]:
        self._group.process_incoming_message(output.commit_message)
        welcome = output.welcome_message
        commit = {"commit": output.commit_message.to_bytes()}
        return commit | ({"welcome": welcome.to_bytes()} if welcome else {})

    def _join(self, welcome: bytes) -> dict[str, Any]:
        self._group = self._client.join_group(None, self._message(welcome)).group
        return {}

    def _encrypt(self, data: bytes) -> dict[str, Any]:
        return {"message": self._group.encrypt_application_message(data).to_bytes()}

    def _process(self, message: bytes, sender: int) -> dict[str, Any]:
        received = self._group.process_incoming_message(self._message(message))
        if received.is_application_message():
            self._identities[sender] = received.sender
            return {"data": received.data}
        return {"removed": received.is_commit() and received.effect.is_removed()}

    def _export(self, label: str, context: bytes, length: int) -> dict[str, Any]:
        return {"value": self._group.export_secret(label.encode(), context, length)}

    def _message(self, data: bytes) -> Any:
        return self._library.Message.from_bytes(data)
