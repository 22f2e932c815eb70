import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import BadRequest
from skvoz.base.ids import AccountId
from skvoz.content import Mention, account_uri
from skvoz.content.markdown import LABEL_LENGTH_MAX, with_links, without_links
from tests.content.contents import ALICE, BOB, texts_with_mentions


def _mention(start: int, length: int, account_id: AccountId = ALICE) -> Mention:
    return Mention(account_id=account_id, start=start, length=length)


@given(texts_with_mentions())
def test_mentions_come_back(drawn: tuple[str, tuple[Mention, ...]]) -> None:
    text, mentions = drawn
    assert without_links(with_links(text, mentions)) == (text, mentions)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert without_links(text) == (text, ())


def test_a_mention_is_a_link_to_the_account() -> None:
    text, mentions = "Kudos to @Alice [Smith]!", (_mention(9, 14),)
    assert with_links(text, mentions) == rf"Kudos to [@Alice \[Smith\]]({account_uri(ALICE)})!"


def test_positions_count_characters() -> None:
    text, mentions = "👩🏽 и @Ёж и @B", (_mention(5, 3), _mention(11, 2, BOB))
    assert text[5:8] == "@Ёж"
    assert without_links(with_links(text, mentions)) == (text, mentions)


def test_a_backslash_before_a_mention_does_not_break_it() -> None:
    linked = with_links("C:\\@A", (_mention(3, 2),))
    assert without_links(linked) == ("C:\\\\@A", (_mention(4, 2),))


def test_an_escaped_bracket_begins_no_mention() -> None:
    text = rf"\[@A]({account_uri(ALICE)})"
    assert without_links(text) == (text, ())


@pytest.mark.parametrize(
    "uri",
    [
        account_uri(ALICE)[:-1],
        account_uri(ALICE) + "A",
        account_uri(ALICE)[:-1] + "F",  # spare bits that aren't zero: a second spelling of one account
        account_uri(ALICE).replace("skvoz", "example"),
        "https://example.com",
    ],
)
def test_other_links_stay_as_they_are(uri: str) -> None:
    text = f"see [@A]({uri})"
    assert without_links(text) == (text, ())


@pytest.mark.parametrize(
    "mentions",
    [
        pytest.param((_mention(0, 0),), id="empty"),
        pytest.param((_mention(-2, 2),), id="before the text"),
        pytest.param((_mention(290, 11),), id="beyond the text"),
        pytest.param((_mention(0, 5), _mention(4, 5)), id="overlapping"),
        pytest.param((_mention(0, LABEL_LENGTH_MAX + 1),), id="too long"),
        pytest.param((_mention(145, 10),), id="over two lines"),
        pytest.param((_mention(0, 5, AccountId(b"short")),), id="of no account"),
    ],
)
def test_a_mention_that_makes_no_sense_is_refused(mentions: tuple[Mention, ...]) -> None:
    with pytest.raises(BadRequest):
        with_links("a" * 149 + "\n" + "b" * 150, mentions)


@pytest.mark.parametrize("hostile", ["[", "[\\", "[a", "\\[", "[a](mimi://skvoz.invalid/u/"])
def test_a_hostile_text_is_read_in_linear_time(hostile: str) -> None:
    text = (hostile * 20_000)[:16_000] + account_uri(ALICE)
    assert without_links(text) == (text, ())
