"""The JSON-lines peer: every operation, and whatever else may stand on a line."""

import json

import pytest

from skvoz.crypto import SUITES
from tests.interop.asking import ask, peer_named, refused, same, two
from tests.interop.mls_peer import MlsPeer
from tests.interop.peers import ProcessPeer, our_command


@pytest.mark.parametrize("suite", [*SUITES, *(suite.name for suite in SUITES.values())])
def test_two_talk_in_every_suite_by_name_or_number(suite: int | str) -> None:
    alice, bob = two(suite)
    assert same(alice, bob)
    message = ask(alice, "encrypt", data="68690a", aad="00ff")["message"]
    read = ask(bob, "process", message=message)
    assert (read["data"], read["aad"], read["sender"]) == ("68690a", "00ff", 0)
    updated = ask(bob, "update")
    assert "welcome" not in updated
    assert ask(alice, "process", message=updated["commit"]) == {"id": 7, "ok": True, "epoch": 2}
    assert same(alice, bob)
    exported = [ask(peer, "export", label="l", context="", length=20)["value"] for peer in (alice, bob)]
    assert exported[0] == exported[1]
    assert len(exported[0]) == 40


def test_an_exporter_gives_as_much_as_hkdf_does() -> None:
    alice, _ = two(1)
    most = 255 * 32
    assert len(ask(alice, "export", label="l", context="", length=most)["value"]) == 2 * most
    line = json.dumps({"id": 9, "op": "export", "label": "l", "context": "", "length": most + 1})
    assert alice.answer(line.encode())["error"].startswith("BadRequest: ")


def test_three_join_and_one_is_removed() -> None:
    alice, bob = two()
    carol, dave = peer_named("carol"), peer_named("dave")
    offers = [ask(peer, "key_package")["key_package"] for peer in (carol, dave)]
    made = ask(bob, "add", key_packages=offers)
    ask(alice, "process", message=made["commit"])
    for peer in (carol, dave):
        assert ask(peer, "join", welcome=made["welcome"])["epoch"] == 2
    assert same(alice, bob, carol, dave)
    removal = ask(dave, "remove", leaf=1)
    assert ask(bob, "process", message=removal["commit"]) == {
        "id": 7,
        "ok": True,
        "epoch": 3,
        "removed": True,
    }
    assert refused(bob, "encrypt", data="00").startswith("NotFound: ")
    for peer in (alice, carol):
        assert ask(peer, "process", message=removal["commit"])["epoch"] == 3
    assert same(alice, carol, dave)


def test_a_group_may_shrink_to_one_and_grow_again() -> None:
    alice, _ = two()
    assert ask(alice, "remove", leaf=1)["epoch"] == 2
    assert ask(alice, "update")["epoch"] == 3
    carol = peer_named("carol")
    made = ask(alice, "add", key_packages=[ask(carol, "key_package")["key_package"]])
    assert ask(carol, "join", welcome=made["welcome"])["leaf"] == 1
    assert same(alice, carol)


def test_somebody_joins_from_outside() -> None:
    alice, bob = two()
    carol = peer_named("carol")
    made = ask(carol, "external_join", group_info=ask(bob, "group_info")["group_info"])
    assert made["leaf"] == 2
    for peer in (alice, bob):
        assert ask(peer, "process", message=made["commit"])["epoch"] == 2
    assert same(alice, bob, carol)


def test_a_refused_message_leaves_the_group_as_it_was() -> None:
    alice, bob = two()
    before = ask(bob, "epoch_authenticator")
    commit = ask(alice, "update")["commit"]
    message = ask(alice, "encrypt", data="00")["message"]
    flipped = commit[:-2] + f"{int(commit[-2:], 16) ^ 1:02x}"
    for bad in (flipped, commit[:-2], commit + "00", "", "00", message):
        assert ": " in refused(bob, "process", message=bad)
        assert ask(bob, "epoch_authenticator") == before
    assert ask(bob, "process", message=commit)["epoch"] == 2
    assert ask(bob, "process", message=message)["data"] == "00"
    assert refused(bob, "process", message=message).startswith("Invalid: ")
    assert refused(bob, "process", message=commit).startswith("Invalid: ")
    assert refused(alice, "process", message=commit).startswith("Invalid: ")
    assert same(alice, bob)


def test_a_welcome_for_another_and_a_used_one_are_refused() -> None:
    alice, bob = two()
    carol, dave = peer_named("carol"), peer_named("dave")
    ask(dave, "key_package")
    made = ask(alice, "add", key_packages=[ask(carol, "key_package")["key_package"]])
    ask(bob, "process", message=made["commit"])
    assert refused(dave, "join", welcome=made["welcome"]) == "Invalid: the welcome is for nobody here"
    broken = made["welcome"][:-2] + f"{int(made['welcome'][-2:], 16) ^ 1:02x}"
    assert refused(carol, "join", welcome=broken).startswith("DecryptFailed: ")
    assert ask(carol, "join", welcome=made["welcome"])["ok"]
    assert refused(carol, "join", welcome=made["welcome"]).startswith("Invalid: ")
    assert same(alice, bob, carol)


NONSENSE: list[bytes] = [
    b"{",
    b"null",
    b"[]",
    b"7",
    b"\xff\xfe",
    b"{}",
    b'{"op": 5}',
    b'{"op": "nonsense"}',
    b'{"op": "__init__"}',
    b"[" * 100_000,
    b'{"op": "init"}',
    b'{"op": "init", "suite": 9, "name": "a"}',
    b'{"op": "init", "suite": true, "name": "a"}',
    b'{"op": "init", "suite": 1.5, "name": "a"}',
    b'{"op": "init", "suite": "nonsense", "name": "a"}',
    b'{"op": "init", "suite": 1}',
    b'{"op": "init", "suite": 1, "name": "\\ud800"}',
    b'{"op": "add"}',
    b'{"op": "add", "key_packages": "00"}',
    b'{"op": "add", "key_packages": [5]}',
    b'{"op": "add", "key_packages": ["0g"]}',
    b'{"op": "add", "key_packages": ["00"]}',
    b'{"op": "remove"}',
    b'{"op": "remove", "leaf": -1}',
    b'{"op": "remove", "leaf": "0"}',
    b'{"op": "remove", "leaf": true}',
    b'{"op": "remove", "leaf": 0}',
    b'{"op": "remove", "leaf": 2}',
    b'{"op": "remove", "leaf": 4294967295}',
    b'{"op": "remove", "leaf": 99999999999999999999}',
    b'{"op": "join"}',
    b'{"op": "join", "welcome": "0001"}',
    b'{"op": "encrypt"}',
    b'{"op": "encrypt", "data": null}',
    b'{"op": "encrypt", "data": "abc"}',
    b'{"op": "process", "message": 5}',
    b'{"op": "process", "message": "0001000100"}',
    b'{"op": "external_join", "group_info": "00"}',
    b'{"op": "export", "label": "l", "context": ""}',
    b'{"op": "export", "label": "l", "context": "", "length": 100000}',
    b'{"op": "export", "label": "l", "context": "", "length": -1}',
    b'{"op": "create", "group_id": 5}',
    b"",
    b"\x00",
    b'{"id": NaN, "op": "update"}',
    b'{"id": 1e999, "op": "update"}',
    b'{"id": 1.5, "op": "update"}',
    b'{"id": {}, "op": "update"}',
    b'{"id": ' + b"[" * 900 + b"]" * 900 + b', "op": "update"}',
    b'{"id": ' + b"9" * 5000 + b', "op": "update"}',
]


@pytest.mark.parametrize("line", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_gets_an_error_and_changes_nothing(line: bytes) -> None:
    alice, bob = two()
    before = ask(alice, "epoch_authenticator")
    answer = alice.answer(line)
    assert answer["ok"] is False
    assert ": " in answer["error"]
    assert not answer["error"].startswith("Bug")
    json.dumps(answer)
    assert ask(alice, "epoch_authenticator") == before
    assert same(alice, bob)


@pytest.mark.parametrize("operation", ["key_package", "create", "add", "update", "process", "export"])
def test_nothing_works_before_init(operation: str) -> None:
    fields: dict[str, object] = {
        "group_id": "00",
        "key_packages": [],
        "message": "00",
        "label": "",
        "context": "",
        "length": 1,
    }
    assert refused(MlsPeer(), operation, **fields) == "BadRequest: init comes first"


@pytest.mark.interop
def test_the_program_answers_line_by_line_until_its_input_ends() -> None:
    with ProcessPeer("ours", our_command()) as peer:
        assert peer.ask_raw('{"id": "x", "op": "init", "suite": 61602, "name": "a"}')["ok"] is True
        assert peer.ask_raw("nonsense") == {
            "id": None,
            "ok": False,
            "error": "BadRequest: the line is not JSON",
        }
        huge = '{"id": 1, "op": "' + "x" * (65 * 1024 * 1024) + '"}'
        assert peer.ask_raw(huge)["error"] == "BadRequest: the line is too long"
        for junk in ("", " ", "\t", "\0", "\\", "\u00e9", "[" * 100_000, '{"id": NaN}', '{"id": 1e999}'):
            assert peer.ask_raw(junk)["error"].startswith("BadRequest: ")
        assert peer.ask_raw('{"id": 2, "op": "create", "group_id": "00"}')["epoch"] == 0
        assert peer.ask("update")["epoch"] == 1
        assert peer.close() == 0
