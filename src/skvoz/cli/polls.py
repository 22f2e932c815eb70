"""`skvoz poll`: questions with answers to choose from."""

import click

from skvoz.cli.command import Group, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.messages import show_again, tell_how_far
from skvoz.cli.naming import find_chat, find_message
from skvoz.cli.wishes import wish
from skvoz.texts import say


@click.group(cls=Group)
def poll() -> None:
    """Ask a question with answers to choose from, and answer one.

    Everybody in the chat sees who chose what.
    """


@poll.command()
@click.argument("chat")
@click.argument("question")
@click.argument("answers", nargs=-1, required=True)
@click.option("--several", is_flag=True, help=say("Let people choose more than one answer."))
@json_option
@pass_desk
def ask(
    desk: Desk, *, chat: str, question: str, answers: tuple[str, ...], several: bool, as_json: bool
) -> None:
    """Ask a chat; there are 2 to 12 answers."""
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        answer = wish(
            caller, "poll.create", chat_id=chat_id, question=question, options=answers, several=several
        )
        tell_how_far(caller, answer, as_json=as_json)


@poll.command()
@click.argument("number", type=Number(), metavar="NUMBER")
@click.argument("choices", nargs=-1, type=click.IntRange(1, 12), metavar="ANSWER…")
@json_option
@pass_desk
def vote(desk: Desk, *, number: int, choices: tuple[int, ...], as_json: bool) -> None:
    """Choose answers by their numbers from 1 up; none takes your vote back."""
    with desk.reach() as caller:
        message = find_message(caller, number)
        chosen = [choice - 1 for choice in choices]
        wish(caller, "poll.vote", message_id=message.message_id, choices=chosen)
        show_again(caller, message, as_json=as_json)


@poll.command()
@click.argument("number", type=Number(), metavar="NUMBER")
@json_option
@pass_desk
def close(desk: Desk, number: int, *, as_json: bool) -> None:
    """Take no more votes in a poll of yours."""
    with desk.reach() as caller:
        message = find_message(caller, number)
        wish(caller, "poll.close", message_id=message.message_id)
        show_again(caller, message, as_json=as_json)
