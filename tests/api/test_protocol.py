import inspect

import msgspec
import pytest

from skvoz.api import params, protocol, views
from skvoz.api.methods import COMMANDS
from skvoz.api.protocol import CallFailed, NotACall, error_of, parse_params, parse_request
from skvoz.base import errors
from skvoz.client.commands import SendMessage

SECRET = "kolbasa"


def call(**changes: object) -> bytes:
    whole: dict[str, object] = {"jsonrpc": "2.0", "id": 1, "method": "node.status", "params": {}, **changes}
    return msgspec.json.encode({name: value for name, value in whole.items() if value is not ...})


def refused(text: bytes | str) -> NotACall:
    with pytest.raises(NotACall) as caught:
        parse_request(text)
    return caught.value


def test_a_call_is_read_with_and_without_parameters() -> None:
    assert parse_request(call()).method == "node.status"
    assert bytes(parse_request(call(params=...)).params) == b"{}"
    assert parse_request(call(id="x" * 128)).id == "x" * 128
    assert parse_request(call(unknown=1)).id == 1


@pytest.mark.parametrize(
    "text", ["", "{", "nonsense", '{"id":1', "[" * 100_000, b"\xff\xfe", b"\xed\xa0\x80"]
)
def test_what_is_not_json_is_a_parse_error(text: bytes | str) -> None:
    refusal = refused(text)
    assert refusal.error.code == -32700
    assert refusal.request_id is None


@pytest.mark.parametrize(
    "changes",
    [
        {"jsonrpc": "1.0"},
        {"jsonrpc": ...},
        {"method": 5},
        {"method": "m" * 65},
        {"method": ...},
        {"id": None},
        {"id": 1.5},
        {"id": [1]},
        {"id": 2**53},
        {"id": "x" * 129},
        {"id": ...},
    ],
)
def test_json_that_is_no_call_is_an_invalid_request(changes: dict[str, object]) -> None:
    refusal = refused(call(**changes))
    assert refusal.error.code == -32600
    assert refusal.request_id == (None if "id" in changes else 1)


def test_a_batch_and_a_call_without_an_id_are_told_why() -> None:
    assert "batches" in refused(b"[" + call() + b"]").error.message
    assert "needs an id" in refused(call(id=...)).error.message


def test_the_longest_request_is_taken_and_a_longer_one_is_not() -> None:
    longest = call() + b" " * (protocol.REQUEST_SIZE_MAX - len(call()))
    assert parse_request(longest).id == 1
    assert refused(longest + b" ").error.data.kind == "too_long"


def test_what_is_wrong_with_parameters_is_said_without_quoting_them() -> None:
    cases = {
        '{"client_id":"1"}': "`chat_id` is missing",
        f'{{"client_id":"1","chat_id":"","text":"","{SECRET}":1}}': "there is a field too many",
        f'{{"client_id":"1","chat_id":"{SECRET}","text":""}}': "`chat_id` is wrong",
        f'{{"client_id":"1","chat_id":"","text":["{SECRET}"]}}': "`text` is wrong",
        '{"client_id":"","chat_id":"","text":""}': "`client_id` is wrong",
        '{"client_id":"1","chat_id":"","text":"","mentions":[{"account_id":"","start":"a","length":1}]}': (
            "`mentions[0].start` is wrong"
        ),
        '["1","",""]': "an object with fields by name is wanted",
        "null": "an object with fields by name is wanted",
        f'{{"client_id":"1","chat_id":"","text":"","x` - at `$.{SECRET}":1}}': "there is a field too many",
    }
    for text, why in cases.items():
        with pytest.raises(CallFailed) as caught:
            parse_params(msgspec.Raw(text.encode()), SendMessage)
        assert caught.value.error.code == -32602
        assert caught.value.error.message == f"the parameters don't fit the method: {why}"
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["YQ", "YQ==\\n", "Y Q=", "_-8=", "YQ=a", "é"])
def test_ids_are_base64_of_rfc_4648_with_padding_and_nothing_else(text: str) -> None:
    with pytest.raises(CallFailed):
        parse_params(msgspec.Raw(f'{{"chat_id":"{text}"}}'.encode()), params.ChatParams)
    assert parse_params(msgspec.Raw(b'{"chat_id":"+/8="}'), params.ChatParams).chat_id == b"\xfb\xff"


def test_every_error_of_the_tree_has_one_form() -> None:
    kinds: set[str] = set()
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(kind, errors.SkvozError)
        made = kind() if kind is errors.DecryptFailed else kind("words")
        error = error_of(made)
        assert error.code == protocol.REFUSED
        assert error.message == str(made)
        assert error.data.retryable == (error.data.retry_after_ms is not None)
        assert error.data.retryable == isinstance(
            made, errors.TransportError | errors.DiskFull | errors.TooOften
        )
        kinds.add(error.data.kind)
    assert kinds == set(protocol.KINDS.values())


def test_nothing_that_is_asked_or_answered_shows_itself_in_a_repr() -> None:
    shown = [
        parse_request(call(params={"phrase": SECRET})),
        views.PhraseView(phrase=SECRET),
        params.SearchParams(text=SECRET),
        parse_params(
            msgspec.Raw(f'{{"client_id":"1","phrase":"{SECRET}"}}'.encode()),
            COMMANDS["account.confirm_phrase"],
        ),
    ]
    for value in shown:
        assert SECRET not in repr(value)
    structs = [
        kind
        for module in (params, views)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, msgspec.Struct)
    ]
    assert len(structs) > 30
    assert all(kind.__repr__ is not msgspec.Struct.__repr__ for kind in structs)
