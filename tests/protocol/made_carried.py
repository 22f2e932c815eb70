"""The vector of what goes beside a relay: an item and a link under one carry secret, in a bundle."""

from skvoz.client import bundle_form, carried_form
from skvoz.codec import uint32
from skvoz.crypto import ED25519, sign_labeled
from tests.protocol.made import GROUP_ID, Vector, fixed, text_of_anna

_EPOCH = 5


def carried() -> Vector:
    """Return the vector; the filling of the bundle is zeros in place of random bytes."""
    content = text_of_anna()
    device = ED25519.generate(lambda size: fixed("carried device", size))
    secret, after, salt = fixed("carry secret"), fixed("carry secret after"), fixed("bundle salt")
    signed = carried_form.signed_item(GROUP_ID, _EPOCH, content)
    item = carried_form.Item(
        epoch=_EPOCH,
        device_key=device.public_key,
        signature=sign_labeled(device.private_key, carried_form.SIGNATURE_LABEL, signed),
        content=content,
    )
    plains = [carried_form.encode(carried_form.Link(secret=after)), carried_form.encode(item)]
    places = [salt + uint32(number) for number in range(len(plains))]
    records = [
        (carried_form.tag_at(secret, place), carried_form.seal_at(secret, place, plain))
        for place, plain in zip(places, plains, strict=True)
    ]
    return {
        "group_id": GROUP_ID.hex(),
        "epoch": _EPOCH,
        "content": content.hex(),
        "device_private_key": device.private_key.hex(),
        "device_key": device.public_key.hex(),
        "signed": signed.hex(),
        "carry_secret": secret.hex(),
        "carry_secret_after": after.hex(),
        "link": plains[0].hex(),
        "item": plains[1].hex(),
        "salt": salt.hex(),
        "tags": [tag.hex() for tag, _ in records],
        "sealed": [sealed.hex() for _, sealed in records],
        "bundle_beginning": bundle_form.pack(records, salt, bytes)[:2048].hex(),
    }
