"""What is passed on says so at both ends, and not who said it first."""

from skvoz.client.commands import SendMessage
from skvoz.client.records import Conversation
from tests.client.people_world import friends, message, say


def test_a_forwarded_text_says_so_at_both_ends() -> None:
    world, anna, boris = friends()
    chat = anna.all(Conversation)[-1].chat_id
    plain = say(anna, chat, "my own")
    answer = anna.do(
        lambda client_id: SendMessage(client_id=client_id, chat_id=chat, text="passed on", forwarded=True)
    )
    world.settle()
    assert answer.message_id is not None
    assert [message(one, answer.message_id).forwarded for one in (anna, boris)] == [True, True]
    assert [message(one, plain).forwarded for one in (anna, boris)] == [False, False]
