"""Our MLS as a JSON-lines peer on stdin and stdout, to be tried against other implementations.

One request and one answer a line, empty and senseless lines included; all bytes are hex, labels are
text. Commits are followed as soon as they are made. A refused message leaves the group as it was.

    init {suite, name}              suite: a number, or the name in the IANA registry
    key_package                     -> {key_package}
    create {group_id}               -> {epoch}
    add {key_packages}              -> {commit, welcome, epoch}
    remove {leaf} | update          -> {commit, epoch}; with welcome, if stored proposals add somebody
    join {welcome, ratchet_tree?}   -> {epoch, leaf}
    encrypt {data, aad?}            -> {message}
    process {message}               -> {data, aad, sender}, or {epoch} with proposal or removed being true
    epoch_authenticator             -> {value, tree_hash}
    group_info                      -> {group_info}
    external_join {group_info, ratchet_tree?}   -> {commit, epoch, leaf}
    export {label, context, length} -> {value}
"""

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

if __name__ == "__main__":  # started as a program, from anywhere
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "src"))

from skvoz.base.errors import BadRequest, Invalid, NotFound, SkvozError
from skvoz.crypto import SUITES, CipherSuite, KeyPair, suite
from skvoz.mls import (
    Add,
    ApplicationMessage,
    Group,
    KeyPackageBundle,
    Lifetime,
    ProposalStored,
    Remove,
    StagedCommit,
    parse_key_package,
    parse_welcome,
)

_LINE_SIZE_MAX: Final = 64 * 1024 * 1024
_HOUR_S: Final = 3600
_LIFETIME_S: Final = 28 * 24 * _HOUR_S  # some implementations refuse more than a month
_LEAF_MAX: Final = 2**32 - 1
_EXPORT_SIZE_MAX: Final = 2**16 - 1

Request = dict[str, Any]
Answer = dict[str, Any]


class MlsPeer:
    """One client in at most one group."""

    def __init__(self) -> None:
        self._suite: CipherSuite | None = None
        self._credential = b""
        self._signature_keys = KeyPair(private_key=b"", public_key=b"")
        self._offers: dict[bytes, KeyPackageBundle] = {}
        self._group: Group | None = None
        self._operations: dict[str, Callable[[Request], Answer]] = {
            "init": self._init,
            "key_package": self._key_package,
            "create": self._create,
            "add": self._add,
            "remove": self._remove,
            "update": self._update,
            "join": self._join,
            "encrypt": self._encrypt,
            "process": self._process,
            "epoch_authenticator": self._epoch_authenticator,
            "group_info": self._group_info,
            "external_join": self._external_join,
            "export": self._export,
        }

    def answer(self, line: bytes) -> Answer:
        """Do what one line asks; whatever is wrong with it becomes an error answer."""
        number: object = None
        try:
            request = _parse(line)
            number = _identifier(request)
            operation = self._operations.get(_text(request, "op"), _unknown)
            return {"id": number, "ok": True} | operation(request)
        except SkvozError as error:
            return {"id": number, "ok": False, "error": f"{type(error).__name__}: {error}"}
        except Exception as error:  # noqa: BLE001 - a peer under trial answers even where it has a bug
            return {"id": number, "ok": False, "error": f"Bug: {type(error).__name__}: {error}"}

    def _init(self, request: Request) -> Answer:
        chosen = _suite(request)
        credential = _text(request, "name").encode()
        self._signature_keys = chosen.generate_signature_key_pair(secrets.token_bytes)
        self._suite, self._credential = chosen, credential
        self._group, self._offers = None, {}
        return {"suite": chosen.number}

    def _key_package(self, _request: Request) -> Answer:
        bundle = self._fresh_bundle()
        self._offers[bundle.reference] = bundle
        return {"key_package": bundle.message().hex()}

    def _create(self, request: Request) -> Answer:
        self._group = Group.create(
            self._chosen_suite(),
            _bytes(request, "group_id"),
            self._credential,
            self._signature_keys,
            lifetime=_lifetime(),
            randomness=secrets.token_bytes,
        )
        return {"epoch": self._group.epoch}

    def _add(self, request: Request) -> Answer:
        offered: object = request.get("key_packages")
        if not isinstance(offered, list):
            raise BadRequest("key_packages is not a list")
        items = cast("list[object]", offered)
        packages = [parse_key_package(_hex("key_packages", item)) for item in items]
        return self._commit(Add(key_package=package) for package in packages)

    def _remove(self, request: Request) -> Answer:
        return self._commit([Remove(removed=_number(request, "leaf", _LEAF_MAX))])

    def _update(self, _request: Request) -> Answer:
        return self._commit([])

    def _commit(self, proposals: Iterable[Add | Remove]) -> Answer:
        pending = self._joined().stage_commit(
            proposals=tuple(proposals), path=True, randomness=secrets.token_bytes, now_ms=_now_ms()
        )
        self._group = pending.next
        answer: Answer = {"commit": pending.commit.hex(), "epoch": self._group.epoch}
        return answer | ({"welcome": pending.welcome.hex()} if pending.welcome else {})

    def _join(self, request: Request) -> Answer:
        welcome = parse_welcome(_bytes(request, "welcome"))
        named = [secret.new_member for secret in welcome.secrets]
        bundle = next((self._offers[name] for name in named if name in self._offers), None)
        if bundle is None:
            raise Invalid("the welcome is for nobody here")
        staged = Group.join(welcome, bundle, ratchet_tree=_optional_bytes(request, "ratchet_tree"))
        self._group = staged.group
        del self._offers[bundle.reference]
        return {"epoch": self._group.epoch, "leaf": self._group.own_leaf_index}

    def _external_join(self, request: Request) -> Answer:
        joined = Group.external_join(
            self._chosen_suite(),
            _bytes(request, "group_info"),
            self._credential,
            self._signature_keys,
            ratchet_tree=_optional_bytes(request, "ratchet_tree"),
            randomness=secrets.token_bytes,
        )
        self._group = joined.group
        commit = joined.commit.hex()
        return {"commit": commit, "epoch": self._group.epoch, "leaf": self._group.own_leaf_index}

    def _encrypt(self, request: Request) -> Answer:
        data, aad = _bytes(request, "data"), _optional_bytes(request, "aad") or b""
        self._group, message = self._joined().protect(
            data, authenticated_data=aad, randomness=secrets.token_bytes
        )
        return {"message": message.hex()}

    def _process(self, request: Request) -> Answer:
        group = self._joined()
        received = group.receive(_bytes(request, "message"), now_ms=_now_ms())
        match received:
            case ApplicationMessage():
                self._group = received.group
                aad = received.authenticated_data.hex()
                return {"data": received.data.hex(), "aad": aad, "sender": received.sender}
            case ProposalStored():
                self._group = received.group
                return {"epoch": group.epoch, "proposal": True}
            case StagedCommit(next=None):
                self._group = None
                return {"epoch": group.epoch + 1, "removed": True}
            case StagedCommit():
                self._group = received.next
                return {"epoch": group.epoch + 1}
            case _:
                raise Invalid(f"not to be read now: {type(received).__name__}")

    def _epoch_authenticator(self, _request: Request) -> Answer:
        group = self._joined()
        return {"value": group.epoch_authenticator.hex(), "tree_hash": group.tree_hash.hex()}

    def _group_info(self, _request: Request) -> Answer:
        return {"group_info": self._joined().group_info().hex()}

    def _export(self, request: Request) -> Answer:
        context, length = _bytes(request, "context"), _number(request, "length", _EXPORT_SIZE_MAX)
        value = self._joined().export(_text(request, "label"), context, length)
        return {"value": value.hex()}

    def _fresh_bundle(self) -> KeyPackageBundle:
        return KeyPackageBundle.create(
            self._chosen_suite(),
            self._credential,
            self._signature_keys,
            lifetime=_lifetime(),
            randomness=secrets.token_bytes,
        )

    def _chosen_suite(self) -> CipherSuite:
        if self._suite is None:
            raise BadRequest("init comes first")
        return self._suite

    def _joined(self) -> Group:
        self._chosen_suite()
        if self._group is None:
            raise NotFound("there is no group")
        return self._group


def _unknown(_request: Request) -> Answer:
    raise BadRequest("unknown operation")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _lifetime() -> Lifetime:
    now_s = _now_ms() // 1000
    return Lifetime(not_before=now_s - _HOUR_S, not_after=now_s - _HOUR_S + _LIFETIME_S)


def _parse(line: bytes) -> Request:
    if len(line) > _LINE_SIZE_MAX:
        raise BadRequest("the line is too long")
    try:
        request: object = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequest("the line is not JSON") from None
    if not isinstance(request, dict):
        raise BadRequest("the line is not a JSON object")
    return cast("Request", request)


def _identifier(request: Request) -> str | int | None:
    """Return the request's id, which the answer repeats: text or a whole number, which JSON can hold."""
    number: object = request.get("id")
    if number is None or isinstance(number, str | int):
        return number
    raise BadRequest("id is neither text nor a whole number")


def _suite(request: Request) -> CipherSuite:
    wanted: object = request.get("suite")
    for known in SUITES.values():
        if isinstance(wanted, str) and wanted.lower() == known.name.lower():
            return known
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return suite(wanted)
    raise BadRequest("unknown cipher suite")


def _text(request: Request, name: str) -> str:
    value: object = request.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"{name} is missing or not a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRequest(f"{name} is not text") from None
    return value


def _number(request: Request, name: str, most: int) -> int:
    value: object = request.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BadRequest(f"{name} is missing or not a number in range")
    return value


def _bytes(request: Request, name: str) -> bytes:
    return _hex(name, request.get(name))


def _optional_bytes(request: Request, name: str) -> bytes | None:
    return None if request.get(name) is None else _bytes(request, name)


def _hex(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise BadRequest(f"{name} is missing or not a string")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise BadRequest(f"{name} is not hex") from None


def _lines(stream: BinaryIO) -> Iterable[bytes]:
    """Read lines; of one that is too long, only as much as shows that."""
    while line := stream.readline(_LINE_SIZE_MAX + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(_LINE_SIZE_MAX)
        yield line


def main() -> None:
    """Answer until the input ends."""
    peer = MlsPeer()
    for line in _lines(sys.stdin.buffer):
        sys.stdout.write(json.dumps(peer.answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
