"""Who has a message of ours, as far as people tell."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.lookups import known_chat, known_message, own_account
from skvoz.api.message_views import ReceiptListView, ReceiptView
from skvoz.api.question import Question
from skvoz.client.records import ConversationKind, Receipt
from skvoz.client.reports import PEOPLE_MAX, was_told
from skvoz.store.queries import Queries


def message_receipts(queries: Queries, params: asked.MessageParams) -> ReceiptListView:
    """Return who has reported to have, or to have read, a message of ours, and who told nothing."""
    message = known_message(queries, params.message_id)
    account = own_account(queries)
    chat = known_chat(queries, message.chat_id)
    if message.author != account.account_id:
        return ReceiptListView(receipts=())
    found = queries.receipts(params.message_id)
    receipts = [_receipt(queries, receipt) for receipt in found]
    receipts.sort(key=lambda receipt: (receipt.name.lower(), receipt.account_id))
    told = {receipt.account_id for receipt in found}
    people = queries.participants(message.group_id)
    silent = [
        showing.member_view(one.account_id, account, queries.contact(one.account_id), admin=one.admin)
        for one in people
        if one.account_id not in told and was_told(one, message)
    ]
    silent.sort(key=lambda member: (member.name.lower(), member.account_id))
    is_small = chat.main.kind is not ConversationKind.GROUP or len(people) <= PEOPLE_MAX
    return ReceiptListView(receipts=tuple(receipts), silent=tuple(silent), reports=is_small)


def _receipt(queries: Queries, receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        account_id=receipt.account_id,
        name=showing.shown_name(queries.contact(receipt.account_id)),
        delivered_ms=receipt.delivered_ms,
        read_ms=receipt.read_ms,
    )


QUESTIONS: Final[dict[str, Question]] = {
    "message.receipts": Question(params=asked.MessageParams, result=ReceiptListView, read=message_receipts),
}
