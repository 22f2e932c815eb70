"""The JSON-lines peer under lines of any kind: always an answer, and what is refused changes nothing."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.interop.asking import ask, peer_named, same, two
from tests.interop.mls_peer import MlsPeer

KINDS = {"BadRequest", "Malformed", "Invalid", "DecryptFailed", "NotFound", "Conflict", "PathUnreadable"}
OPERATIONS = sorted(MlsPeer()._operations)
FIELDS = (
    *("suite", "name", "group_id", "key_packages", "leaf", "welcome", "ratchet_tree", "data", "aad"),
    *("message", "group_info", "label", "context", "length"),
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    PLAIN | st.binary(max_size=8).map(bytes.hex),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def request_of(operation: str, number: Any, fields: dict[str, Any]) -> dict[str, Any]:
    return {"op": operation, "id": number, **fields}


REQUESTS = st.builds(
    request_of,
    st.sampled_from(OPERATIONS) | st.text(max_size=8),
    JSON,
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
)
LASTING = {"init", "create", "add", "remove", "update", "join", "external_join", "process"}


def checked(peer: MlsPeer, line: bytes) -> dict[str, Any]:
    """Ask, and assert that the answer is one: its shape, and JSON without infinities."""
    answer = peer.answer(line)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert "id" in answer
    assert isinstance(answer["ok"], bool)
    if not answer["ok"]:
        kind, _, reason = answer["error"].partition(": ")
        assert kind in KINDS
        assert reason
        assert set(answer) == {"id", "ok", "error"}
    return answer


def refused(peer: MlsPeer, operation: str, **fields: object) -> None:
    """Assert that a request is refused, and that the peer's group is the very same as before."""
    before = peer._group
    assert not checked(peer, json.dumps({"op": operation, "id": 1, **fields}).encode())["ok"]
    assert peer._group is before


@settings(max_examples=150, deadline=None)
@given(line=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_line_gets_an_answer(line: bytes) -> None:
    checked(MlsPeer(), line)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(requests=st.lists(REQUESTS, max_size=6))
def test_any_requests_get_answers_and_what_is_refused_changes_nothing(requests: list[dict[str, Any]]) -> None:
    alice, bob = two()
    changed = False
    for request in requests:
        before = alice._group
        answer = checked(alice, json.dumps(request).encode())
        if not answer["ok"]:
            assert alice._group is before
        changed = changed or (answer["ok"] and request["op"] in LASTING)
    if not changed:
        message = ask(alice, "encrypt", data="6869")["message"]
        assert ask(bob, "process", message=message)["data"] == "6869"
        assert ask(alice, "process", message=ask(bob, "update")["commit"])["epoch"] == 2
        assert same(alice, bob)


def damaged(message: str, place: int, how: int) -> str:
    """Return a message with a bit flipped, cut off, with something after it, or with a piece repeated."""
    data = bytearray.fromhex(message)
    place %= len(data)
    match how % 4:
        case 0:
            data[place] ^= 1 << (how // 4) % 8
        case 1:
            del data[place:]
        case 2:
            data += bytes(1 + place % 40)
        case _:
            data[place:place] = data[place : place + 1 + place % 8] + b"\x01"
    return bytes(data).hex()


@pytest.mark.slow
@pytest.mark.parametrize("suite", [1, 2, 0xF0A2])
@settings(max_examples=40, deadline=None)
@given(places=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 31)), min_size=1, max_size=4))
def test_whatever_is_damaged_is_refused_and_the_group_goes_on(
    suite: int, places: list[tuple[int, int]]
) -> None:
    alice, bob = two(suite)
    carol, dave = peer_named("carol", suite), peer_named("dave", suite)
    package = ask(carol, "key_package")["key_package"]
    info = ask(alice, "group_info")["group_info"]
    said = ask(alice, "encrypt", data="00ff", aad="aa")["message"]
    before = ask(bob, "epoch_authenticator")
    for place, how in places:
        refused(bob, "add", key_packages=[damaged(package, place, how)])
        refused(dave, "external_join", group_info=damaged(info, place, how))
    made = ask(alice, "add", key_packages=[package])
    commit, welcome = made["commit"], made["welcome"]
    for place, how in places:
        for message in (said, commit):
            refused(bob, "process", message=damaged(message, place, how))
        refused(carol, "join", welcome=damaged(welcome, place, how))
    refused(bob, "join", welcome=commit)
    refused(bob, "join", welcome=welcome)
    refused(bob, "external_join", group_info=welcome)
    for message in (welcome, info, package):
        refused(bob, "process", message=message)
    assert ask(bob, "epoch_authenticator") == before
    assert ask(bob, "process", message=said)["data"] == "00ff"
    assert ask(bob, "process", message=commit)["epoch"] == 2
    assert ask(carol, "join", welcome=welcome)["epoch"] == 2
    assert same(alice, bob, carol)
    for message in (said, commit):
        refused(bob, "process", message=message)
