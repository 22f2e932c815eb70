"""A place is a message: new, searched by its words, disappearing, and never edited into something else."""

import pytest

from skvoz.base.errors import BadRequest, Conflict
from skvoz.client.commands import EditMessage, SendLocation
from skvoz.client.records import Conversation
from skvoz.content import Delete, Edit, Location, Text, location_text
from tests.client.people_world import friends, message
from tests.client.test_changes import room

LAKE = Location(latitude_e7=557_539_000, longitude_e7=376_208_000, label="the lake")


def test_a_place_goes_to_the_other_side_and_is_new_there() -> None:
    world, anna, boris = friends()
    chat = anna.all(Conversation)[-1].chat_id
    before = boris.all(Conversation)[-1].unread
    answer = anna.do(
        lambda client_id: SendLocation(
            client_id=client_id,
            chat_id=chat,
            latitude_e7=LAKE.latitude_e7,
            longitude_e7=LAKE.longitude_e7,
            label=" the lake ",
        )
    )
    world.settle()
    said = answer.message_id
    assert said is not None
    for one in (anna, boris):
        assert message(one, said).location == (557_539_000, 376_208_000, "the lake")
        assert message(one, said).text == location_text(LAKE)
    assert boris.all(Conversation)[-1].unread == before + 1
    with pytest.raises(Conflict):
        anna.do(lambda client_id: EditMessage(client_id=client_id, message_id=said, text="elsewhere"))


def test_a_place_out_of_this_world_is_refused() -> None:
    _, anna, _ = friends()
    chat = anna.all(Conversation)[-1].chat_id
    with pytest.raises(BadRequest):
        anna.do(
            lambda client_id: SendLocation(
                client_id=client_id, chat_id=chat, latitude_e7=900_000_001, longitude_e7=0
            )
        )


def test_an_edit_changes_no_place_and_a_deletion_takes_it_away() -> None:
    boris, anna = room()
    said, data = anna.say(Text(text="", location=LAKE))
    anna.heard(boris, data)
    anna.heard(boris, anna.say(Edit(replaces=said, text="elsewhere"))[1])
    assert message(boris, said).text == location_text(LAKE)
    anna.heard(boris, anna.say(Delete(replaces=said))[1])
    assert (message(boris, said).location, message(boris, said).text) == (None, "")
