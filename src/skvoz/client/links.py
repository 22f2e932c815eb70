"""A link: all that somebody needs to write to us for the first time.

    skvoz:BASE64URL    of version ‖ relay id ‖ inbox id ‖ post key ‖ link secret ‖ account id
                       ‖ addresses<V> ‖ ticket<V>, without `=`

Who holds a link may write to its inbox and open what is sealed under its secret; it says nothing of the
account but the fingerprint that everything behind it has to match.
"""

import base64
import binascii
from typing import Final

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.base.limits import ADDRESS_SIZE_MAX
from skvoz.base.value import Value
from skvoz.client.records import Inbox, InboxKind, Relay
from skvoz.codec import Reader, opaque, uint8, vector

SCHEME: Final = "skvoz:"
VERSION: Final = 1
GROUP_VERSION: Final = 2
"""Of links into groups: programs that know none say that the link is of a newer version."""
LINK_SIZE_MAX: Final = 2048
"""Characters: what a QR code of moderate size holds."""
ADDRESSES_MAX: Final = 4
TICKET_SIZE_MAX: Final = 512


class Link(Value, frozen=True, kw_only=True):
    """A link's content; all of it is secret between its maker and its holder."""

    relay_id: RelayId
    inbox_id: LogId
    post_key: bytes
    secret: bytes
    account_id: AccountId
    addresses: tuple[str, ...]
    ticket: bytes = b""
    is_group: bool = False
    """Whether it leads into a group, by an admin's leave."""

    def encode(self) -> str:
        """Return the link as text."""
        data = b"".join(
            (
                uint8(GROUP_VERSION if self.is_group else VERSION),
                self.relay_id,
                self.inbox_id,
                self.post_key,
                self.secret,
                self.account_id,
                vector(opaque(address.encode()) for address in self.addresses),
                opaque(self.ticket),
            )
        )
        return SCHEME + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def link_of(inbox: Inbox, relay: Relay, account_id: AccountId) -> Link:
    """Return the link that leads to an inbox of ours."""
    return Link(
        relay_id=relay.relay_id,
        inbox_id=inbox.log_id,
        post_key=inbox.post_key,
        secret=inbox.link_secret,
        account_id=account_id,
        addresses=relay.for_others[:ADDRESSES_MAX],
        ticket=relay.ticket,
        is_group=inbox.kind is InboxKind.GROUP,
    )


def parse_link(text: str) -> Link:
    """Parse a link that a person pasted or scanned; raise `BadRequest`, which never repeats the text."""
    text = "".join(text.split())
    if not text.lower().startswith(SCHEME):
        raise BadRequest("this is not a Skvoz link: it has to start with skvoz:")
    if len(text) > LINK_SIZE_MAX:
        raise BadRequest("this link is too long to be one")
    try:
        link = _parse(_decoded(text[len(SCHEME) :]))
    except (Malformed, binascii.Error, ValueError):
        raise BadRequest("this link is damaged, or was not copied whole") from None
    return link


def _decoded(encoded: str) -> bytes:
    data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != encoded:
        raise Malformed("a link is not in its one form")
    return data


def _parse(data: bytes) -> Link:
    reader = Reader(data)
    version = reader.uint8()
    if version not in {VERSION, GROUP_VERSION}:
        raise BadRequest("this link is damaged, or of a newer version of Skvoz")
    link = Link(
        relay_id=RelayId(reader.take(32)),
        inbox_id=LogId(reader.take(16)),
        post_key=reader.take(32),
        secret=reader.take(32),
        account_id=AccountId(reader.take(32)),
        addresses=reader.vector(_address),
        ticket=reader.opaque(),
        is_group=version == GROUP_VERSION,
    )
    reader.finish()
    if not 1 <= len(link.addresses) <= ADDRESSES_MAX or len(link.ticket) > TICKET_SIZE_MAX:
        raise Malformed("a link exceeds a limit")
    return link


def _address(reader: Reader) -> str:
    data = reader.opaque()
    if not 0 < len(data) <= ADDRESS_SIZE_MAX:
        raise Malformed("an address exceeds its limit")
    return data.decode()
