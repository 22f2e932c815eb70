"""Our JSON-lines peers, asked without a process in between."""

import json
from typing import Any

from tests.interop.mls_peer import MlsPeer


def ask(peer: MlsPeer, operation: str, /, **fields: object) -> dict[str, Any]:
    answer = peer.answer(json.dumps({"id": 7, "op": operation, **fields}).encode())
    assert answer["id"] == 7
    return json.loads(json.dumps(answer))


def refused(peer: MlsPeer, operation: str, /, **fields: object) -> str:
    answer = ask(peer, operation, **fields)
    assert answer["ok"] is False
    return answer["error"]


def peer_named(name: str, suite: int | str = 1) -> MlsPeer:
    peer = MlsPeer()
    assert ask(peer, "init", suite=suite, name=name)["ok"] is True
    return peer


def two(suite: int | str = 1) -> tuple[MlsPeer, MlsPeer]:
    alice, bob = peer_named("alice", suite), peer_named("bob", suite)
    ask(alice, "create", group_id="c0ffee")
    offered = ask(bob, "key_package")["key_package"]
    made = ask(alice, "add", key_packages=[offered])
    assert made["epoch"] == 1
    assert ask(bob, "join", welcome=made["welcome"]) == {"id": 7, "ok": True, "epoch": 1, "leaf": 1}
    return alice, bob


def same(*peers: MlsPeer) -> bool:
    return len({json.dumps(ask(peer, "epoch_authenticator")) for peer in peers}) == 1
