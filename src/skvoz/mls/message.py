"""The outermost wrapper of everything that MLS sends (RFC 9420 §6)."""

from skvoz.base.errors import Malformed
from skvoz.codec import Reader, uint16
from skvoz.mls.framing import WireFormat
from skvoz.mls.nodes import VERSION_MLS10, KeyPackage
from skvoz.mls.private_message import PrivateMessage
from skvoz.mls.public_message import PublicMessage
from skvoz.mls.welcome import GroupInfo, Welcome

Message = PublicMessage | PrivateMessage | Welcome | GroupInfo | KeyPackage


def parse_message(data: bytes) -> Message:
    """Parse an `MLSMessage` and nothing after it; raise `Malformed`."""
    reader = Reader(data)
    if reader.uint16() != VERSION_MLS10:
        raise Malformed("a message of an unknown protocol version")
    message: Message
    match reader.uint16():
        case WireFormat.PUBLIC_MESSAGE:
            message = PublicMessage.parse(reader)
        case WireFormat.PRIVATE_MESSAGE:
            message = PrivateMessage.parse(reader)
        case WireFormat.WELCOME:
            message = Welcome.parse(reader)
        case WireFormat.GROUP_INFO:
            message = GroupInfo.parse(reader)
        case WireFormat.KEY_PACKAGE:
            message = KeyPackage.parse(reader)
        case _:
            raise Malformed("a message of an unknown kind")
    reader.finish()
    return message


def encode_message(message: Message) -> bytes:
    """Encode an `MLSMessage`."""
    match message:
        case PublicMessage():
            return wrap(WireFormat.PUBLIC_MESSAGE, message.encode())
        case PrivateMessage():
            return wrap(WireFormat.PRIVATE_MESSAGE, message.encode())
        case Welcome():
            return wrap(WireFormat.WELCOME, message.encode())
        case GroupInfo():
            return wrap(WireFormat.GROUP_INFO, message.encode())
        case KeyPackage():
            return wrap(WireFormat.KEY_PACKAGE, message.encoded)


def wrap(wire_format: WireFormat, encoded: bytes) -> bytes:
    """Put an encoded message into an `MLSMessage`."""
    return uint16(VERSION_MLS10) + uint16(wire_format) + encoded


def parse_welcome(data: bytes) -> Welcome:
    """Parse an `MLSMessage` that must be a Welcome."""
    message = parse_message(data)
    if not isinstance(message, Welcome):
        raise Malformed("the message is not a welcome")
    return message


def parse_group_info(data: bytes) -> GroupInfo:
    """Parse an `MLSMessage` that must be a GroupInfo."""
    message = parse_message(data)
    if not isinstance(message, GroupInfo):
        raise Malformed("the message is not a group info")
    return message


def parse_key_package(data: bytes) -> KeyPackage:
    """Parse an `MLSMessage` that must be a KeyPackage."""
    message = parse_message(data)
    if not isinstance(message, KeyPackage):
        raise Malformed("the message is not a key package")
    return message
