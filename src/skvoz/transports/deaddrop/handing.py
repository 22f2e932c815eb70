"""A drop's key as text: all that somebody needs to use a drop, for handing on over a way that one trusts.

skvoz-drop:BASE64URL    of MessagePack [1, url, password, secret], without `=`
"""

import base64
import binascii
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from skvoz.base.errors import BadRequest
from skvoz.base.value import Value
from skvoz.transports.deaddrop.names import SECRET_SIZE

SCHEME: Final = "skvoz-drop:"
TEXT_LENGTH_MAX: Final = 4096
_LENGTH_MAX: Final = 1024


class DropKey(Value, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a drop is, and what opens it."""

    version: Literal[1]
    url: Annotated[str, Meta(min_length=1, max_length=_LENGTH_MAX)]
    password: Annotated[str, Meta(max_length=_LENGTH_MAX)]
    secret: Annotated[bytes, Meta(min_length=SECRET_SIZE, max_length=SECRET_SIZE)]

    def encode(self) -> str:
        """Return it as text."""
        return SCHEME + base64.urlsafe_b64encode(_encoder.encode(self)).rstrip(b"=").decode()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(DropKey)


def parse_drop_key(text: str) -> DropKey:
    """Parse what a person pasted; raise `BadRequest`, which never repeats the text."""
    text = "".join(text.split())
    if not text.startswith(SCHEME) or len(text) > TEXT_LENGTH_MAX:
        raise BadRequest("this is not the key of a dead drop: it has to start with skvoz-drop:")
    encoded = text.removeprefix(SCHEME)
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return _decoder.decode(data)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise BadRequest("this key of a dead drop is damaged, or of a newer version of Skvoz") from None
