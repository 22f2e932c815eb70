"""Fuzz what comes beside a relay: bundles of anybody, and contents of a malicious member."""

from functools import cache
from typing import Final

from msgspec.structs import replace

from fuzz.client_home import copy_of
from fuzz.content import seeds as contents
from fuzz.target import Script, Target, changed, scripts
from skvoz.base.errors import PeerError
from skvoz.base.ids import EntryId
from skvoz.client import bundle_form, carried_form
from skvoz.client.commands import ImportBundle
from skvoz.client.inputs import CarriedRead
from skvoz.client.records import CarryKey, Message
from skvoz.crypto import ZERO_NONCE, hkdf_sha256, seal, sign_labeled
from tests.client.carried import bundle_of
from tests.client.test_outbox import group_of
from tests.mls.synthetic_tree import Counter

_SALT: Final = bytes(range(32))
_ENTRY: Final = EntryId(b"e" * 16)


class Room:
    """A group of two; its first member is malicious, and the second one's home is what is looked at."""

    def __init__(self) -> None:
        self.world, self.devices, self.group_id = group_of(2)
        self.member = self.devices[0].act(lambda step: step.account())
        self.key = [one for one in self.devices[1].all(CarryKey) if one.group_id == self.group_id][-1]


@cache
def _room() -> Room:
    return Room()


def _item(script: Script) -> carried_form.Item:
    """Return what a member may say, well signed or not."""
    room, content = _room(), script.choice(contents())
    if script.randrange(3):
        content = changed(script, content) or b"\x00"
    epoch = room.key.epoch + script.choice((0, 0, 0, 1, 2**40))
    signed = carried_form.signed_item(room.group_id, epoch, content)
    signature = sign_labeled(room.member.device_private_key, carried_form.SIGNATURE_LABEL, signed)
    item = carried_form.Item(
        epoch=epoch, device_key=room.member.device_public_key, signature=signature, content=content
    )
    return item if script.randrange(4) else replace(item, signature=bytes(64))


def try_bundle(script: Script) -> None:
    """Import what anybody can make: any content under the outer key, or a bundle with a bit turned."""
    home = copy_of(_room().devices[1])
    before = len(list(home.all(Message)))
    if script.randrange(2):
        content = bytearray(changed(script, bytes((1,)) + bytes(64)).ljust(65_488, b"\x00")[:65_488])
        file = _SALT + seal(
            hkdf_sha256(_SALT, info=b"skvoz bundle", length=32), ZERO_NONCE, b"", bytes(content)
        )
    else:
        whole = bundle_form.pack([], _SALT, Counter("fuzz bundle"))
        file = changed(script, whole[:64]) + whole[64:]
    granted = home.command(ImportBundle(client_id="fuzz", file=file))
    if len(list(home.all(Message))) != before:
        raise AssertionError("somebody without a key said something")
    if not granted:
        raise PeerError("refused")


def try_member(script: Script) -> None:
    """Import a bundle with some items of a member."""
    room = _room()
    home = copy_of(room.devices[1])
    items = [_item(script) for _ in range(script.randrange(1, 4))]
    file = bundle_of(room.world, room.key.secret, items)
    if not home.command(ImportBundle(client_id="fuzz", file=file)):
        raise AssertionError("a whole bundle is refused")


def try_entry(script: Script) -> None:
    """Read an entry beside the relay that a member sealed over anything."""
    room = _room()
    home = copy_of(room.devices[1])
    plain = carried_form.encode(_item(script))
    plain = changed(script, plain) if script.randrange(2) else plain
    body = carried_form.seal_at(room.key.secret, _ENTRY, plain)
    body = changed(script, body) if script.randrange(4) == 0 else body
    home.handle(CarriedRead(group_id=room.group_id, entries=((_ENTRY, body),)))


def try_plain(script: Script) -> None:
    """Parse anything that was sealed; what is taken encodes to itself."""
    plain = changed(script, carried_form.encode(_item(script)))
    if carried_form.encode(carried_form.parse(plain)) != plain:
        raise AssertionError("two encodings of one item")


_TRIES: Final = (try_bundle, try_member, try_entry, try_plain)


def run(data: bytes) -> None:
    """Try one thing, as the input says."""
    script = Script(data)
    script.choice(_TRIES)(script)


def make() -> Target:
    """Return the target."""
    _room()
    return Target(run=run, seeds=scripts(60, 80))
