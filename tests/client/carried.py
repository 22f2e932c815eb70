"""What tests about carrying share: bundles made and taken, people cut off from their relay, forged items."""

from collections.abc import Sequence

from skvoz.base.ids import GroupId
from skvoz.client import bundle_form, carried_form, carried_out, commits
from skvoz.client.commands import Answer, ImportBundle, SendMessage
from skvoz.client.records import CarryKey, Parcel
from skvoz.client.transaction import Transaction
from skvoz.codec import uint32
from tests.client.fake_relay import Device, World


def group_of(count: int) -> tuple[World, list[Device], GroupId]:
    """Return people in a group at one relay."""
    world = World()
    relay = world.add_relay()
    devices = [world.add_device(name, relay) for name in ("anna", "boris", "vera", "gleb")[:count]]
    return world, devices, world.make_group(*devices)


def say(device: Device, group_id: GroupId, text: str) -> None:
    device.do(lambda client_id: SendMessage(client_id=client_id, chat_id=group_id, text=text))
    device.world.settle()


def export(device: Device) -> bytes:
    return carried_out.make_bundle(Transaction(device.records), device.world.random.randbytes).file


def bring(device: Device, file: bytes) -> tuple[int, int]:
    """Import a bundle; return how many contents were new, and how many known."""
    answer: Answer = device.do(lambda client_id: ImportBundle(client_id=client_id, file=file))
    device.world.settle()
    assert answer.new_contents is not None
    assert answer.known_contents is not None
    return answer.new_contents, answer.known_contents


def update(device: Device, group_id: GroupId) -> None:
    """Go on to another epoch."""
    device.act(lambda step: commits.update(step, group_id))
    device.world.settle()


def key_of(device: Device, group_id: GroupId) -> CarryKey:
    """Return the latest carry secret that somebody keeps."""
    return [one for one in device.all(CarryKey) if one.group_id == group_id][-1]


def item_of(device: Device, text: str) -> carried_form.Item:
    """Return the item of somebody's latest text."""
    parcel = [one for one in device.all(Parcel) if text.encode() in one.content][-1]
    return carried_form.Item(
        epoch=parcel.epoch,
        device_key=parcel.device_key,
        signature=parcel.signature,
        content=parcel.content,
    )


def bundle_of(world: World, secret: bytes, carried: Sequence[carried_form.Item | carried_form.Link]) -> bytes:
    """Return a bundle as a holder of a carry secret can make it."""
    salt = world.random.randbytes(bundle_form.SALT_SIZE)
    records: list[bundle_form.Record] = []
    for number, one in enumerate(carried):
        place = salt + uint32(number)
        sealed = carried_form.seal_at(secret, place, carried_form.encode(one))
        records.append((carried_form.tag_at(secret, place), sealed))
    return bundle_form.pack(records, salt, world.random.randbytes)
