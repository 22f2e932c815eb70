"""Questions of two people who compare: the number that they read out, and the codes that they scan."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import views
from skvoz.api.lookups import known_contact, own_account
from skvoz.api.question import Question
from skvoz.base.errors import Conflict
from skvoz.client.safety_numbers import compared, comparing_code, grouped, safety_number
from skvoz.store.queries import Queries


def contact_safety_number(queries: Queries, params: asked.ContactParams) -> views.SafetyNumberView:
    """Return the digits to compare with a person, and the code for them to scan."""
    contact = known_contact(queries, params.account_id)
    own_key, other_key = own_account(queries).root_public_key, contact.root_public_key
    return views.SafetyNumberView(
        digits=grouped(safety_number(own_key, other_key)),
        code=comparing_code(own_key, other_key) if other_key else "",
        verified=contact.verified_ms is not None,
    )


def contact_compare(queries: Queries, params: asked.CompareParams) -> views.ComparedView:
    """Tell whether a code that was scanned is the one that a person's device shows if nobody sits between."""
    contact = known_contact(queries, params.account_id)
    own_key, other_key = own_account(queries).root_public_key, contact.root_public_key
    if not other_key:
        raise Conflict("this person has not been met yet, so there is nothing to compare")
    return views.ComparedView(outcome=compared(params.text.strip(), own_key, other_key))


QUESTIONS: Final[dict[str, Question]] = {
    "contact.safety_number": Question(
        params=asked.ContactParams, result=views.SafetyNumberView, read=contact_safety_number
    ),
    "contact.compare": Question(params=asked.CompareParams, result=views.ComparedView, read=contact_compare),
}
"""What may be asked when two people compare, by its name."""
