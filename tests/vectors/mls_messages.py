"""Checkers of the MLS working group's vectors about messages and secrets; each takes one case."""

from collections.abc import Callable
from typing import Any

from skvoz.codec import Reader, varint
from skvoz.crypto.suites import CipherSuite, suite
from skvoz.mls import secret_tree
from skvoz.mls.framing import (
    AuthenticatedContent,
    Body,
    ContentType,
    FramedContent,
    Sender,
    WireFormat,
    encode_body,
    parse_body,
    sign_content,
    verify_content,
)
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_schedule import (
    confirmation_tag,
    derive_epoch,
    derive_joiner_secret,
    export_secret,
    external_public_key,
)
from skvoz.mls.message import encode_message, parse_message
from skvoz.mls.pre_shared_keys import PreSharedKeyId, PreSharedKeyType, psk_secret
from skvoz.mls.private_message import (
    PrivateMessage,
    SenderData,
    open_private,
    open_sender_data,
    place_of,
    seal_private,
    sender_data_key_and_nonce,
)
from skvoz.mls.proposals import Commit, parse_proposal
from skvoz.mls.public_message import PublicMessage, open_public, seal_public
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.secret_tree import SecretTree
from skvoz.mls.transcript import confirmed_transcript_hash, interim_transcript_hash
from skvoz.mls.welcome import GroupSecrets
from tests.vectors.outcome import expect

Case = dict[str, Any]
_hex = bytes.fromhex


def check_deserialization(case: Case) -> None:
    header = _hex(case["vlbytes_header"])
    reader = Reader(header)
    expect("a length", reader.varint(), case["length"])
    reader.finish()
    expect("a length encoded again", varint(case["length"]), header)


def check_messages(case: Case) -> None:
    for name in (
        "mls_welcome",
        "mls_group_info",
        "mls_key_package",
        "public_message_application",
        "public_message_proposal",
        "public_message_commit",
        "private_message",
    ):
        expect(name, encode_message(parse_message(_hex(case[name]))).hex(), case[name])
    tree = RatchetTree.parse(suite(1), _hex(case["ratchet_tree"]))
    expect("ratchet_tree", tree.encode().hex(), case["ratchet_tree"])
    _again(case, "group_secrets", b"", lambda reader: GroupSecrets.parse(reader).encode())
    _again(case, "commit", b"", lambda reader: Commit.parse(reader).encode())
    for kind, name in enumerate(
        (
            "add_proposal",
            "update_proposal",
            "remove_proposal",
            "pre_shared_key_proposal",
            "re_init_proposal",
            "external_init_proposal",
            "group_context_extensions_proposal",
        ),
        start=1,
    ):
        _again(case, name, kind.to_bytes(2, "big"), lambda reader: parse_proposal(reader).encode())


def _again(case: Case, name: str, head: bytes, encode: Callable[[Reader], bytes]) -> None:
    data = head + _hex(case[name])
    reader = Reader(data)
    encoded = encode(reader)
    reader.finish()
    expect(name, encoded, data)


def check_key_schedule(case: Case) -> None:
    chosen = suite(case["cipher_suite"])
    init_secret = _hex(case["initial_init_secret"])
    for number, epoch in enumerate(case["epochs"]):
        context = GroupContext(
            cipher_suite=chosen.number,
            group_id=_hex(case["group_id"]),
            epoch=number,
            tree_hash=_hex(epoch["tree_hash"]),
            confirmed_transcript_hash=_hex(epoch["confirmed_transcript_hash"]),
        ).encode()
        expect("group_context", context.hex(), epoch["group_context"])
        joiner = derive_joiner_secret(chosen, init_secret, _hex(epoch["commit_secret"]), context)
        schedule = derive_epoch(chosen, joiner, _hex(epoch["psk_secret"]), context)
        expect("joiner_secret", joiner.hex(), epoch["joiner_secret"])
        expect("welcome_secret", schedule.welcome_secret.hex(), epoch["welcome_secret"])
        expect("confirmation_key", schedule.confirmation_key.hex(), epoch["confirmation_key"])
        expect("encryption_secret", schedule.encryption_secret.hex(), epoch["encryption_secret"])
        for name in (
            "init_secret",
            "sender_data_secret",
            "exporter_secret",
            "epoch_authenticator",
            "external_secret",
            "membership_key",
            "resumption_psk",
        ):
            expect(name, getattr(schedule.secrets, name).hex(), epoch[name])
        external = external_public_key(chosen, schedule.secrets.external_secret)
        expect("external_pub", external.hex(), epoch["external_pub"])
        wanted = epoch["exporter"]
        exported = export_secret(
            chosen,
            schedule.secrets.exporter_secret,
            wanted["label"],
            _hex(wanted["context"]),
            wanted["length"],
        )
        expect("exporter", exported.hex(), wanted["secret"])
        init_secret = schedule.secrets.init_secret


def check_secret_tree(case: Case) -> None:
    chosen = suite(case["cipher_suite"])
    wanted = case["sender_data"]
    key, nonce = sender_data_key_and_nonce(
        chosen, _hex(wanted["sender_data_secret"]), _hex(wanted["ciphertext"])
    )
    expect("sender data key", (key.hex(), nonce.hex()), (wanted["key"], wanted["nonce"]))
    tree = SecretTree.start(chosen, _hex(case["encryption_secret"]), len(case["leaves"]))
    for leaf_index, generations in enumerate(case["leaves"]):
        _check_leaf(chosen, tree, leaf_index, generations)
        _, tree = tree.leaf(leaf_index)
    expect("what is left in a tree that is used up", dict(tree.inner), {})


def _check_leaf(chosen: CipherSuite, tree: SecretTree, leaf_index: int, generations: list[Case]) -> None:
    ratchets, _ = tree.leaf(leaf_index)
    for kind, ratchet in (("handshake", ratchets.handshake), ("application", ratchets.application)):
        moved = ratchet
        for wanted in generations:
            key, nonce, moved = moved.take(chosen, wanted["generation"])
            expect(f"{kind} key", key.hex(), wanted[f"{kind}_key"])
            expect(f"{kind} nonce", nonce.hex(), wanted[f"{kind}_nonce"])
        for wanted in generations:
            try:
                moved.take(chosen, wanted["generation"])
            except secret_tree.KeyUsed:
                continue
            raise AssertionError("a key could be used twice")


def check_transcript_hashes(case: Case) -> None:
    chosen = suite(case["cipher_suite"])
    reader = Reader(_hex(case["authenticated_content"]))
    authenticated = AuthenticatedContent.parse(reader)
    reader.finish()
    expect("authenticated_content", authenticated.encode().hex(), case["authenticated_content"])
    confirmed = confirmed_transcript_hash(
        chosen,
        _hex(case["interim_transcript_hash_before"]),
        authenticated.wire_format,
        authenticated.content.encoded,
        authenticated.signature,
    )
    expect("confirmed_transcript_hash", confirmed.hex(), case["confirmed_transcript_hash_after"])
    tag = confirmation_tag(chosen, _hex(case["confirmation_key"]), confirmed)
    expect("confirmation_tag", tag, authenticated.confirmation_tag)
    interim = interim_transcript_hash(chosen, confirmed, tag)
    expect("interim_transcript_hash", interim.hex(), case["interim_transcript_hash_after"])


def check_psk_secret(case: Case) -> None:
    pairs = [
        (
            PreSharedKeyId(
                kind=PreSharedKeyType.EXTERNAL, psk_id=_hex(psk["psk_id"]), nonce=_hex(psk["psk_nonce"])
            ),
            _hex(psk["psk"]),
        )
        for psk in case["psks"]
    ]
    secret = psk_secret(suite(case["cipher_suite"]), pairs)
    expect("psk_secret", secret.hex(), case["psk_secret"])


_SENDER = Sender.member(1)
_LEAF_COUNT = 2


def check_message_protection(case: Case) -> None:
    chosen = suite(case["cipher_suite"])
    context = GroupContext(
        cipher_suite=chosen.number,
        group_id=_hex(case["group_id"]),
        epoch=case["epoch"],
        tree_hash=_hex(case["tree_hash"]),
        confirmed_transcript_hash=_hex(case["confirmed_transcript_hash"]),
    )
    for name, content_type in (
        ("proposal", ContentType.PROPOSAL),
        ("commit", ContentType.COMMIT),
        ("application", ContentType.APPLICATION),
    ):
        wanted = _hex(case[name])
        if content_type is ContentType.APPLICATION:
            body: Body = wanted
        else:
            body = parse_body(Reader(wanted), content_type)
            expect(name, encode_body(body), wanted)
            _check_public(case, chosen, context, _hex(case[f"{name}_pub"]), body)
            _check_public(case, chosen, context, _protect_public(case, chosen, context, body), body)
        _check_private(case, chosen, context, _hex(case[f"{name}_priv"]), body)
        _check_private(case, chosen, context, _protect_private(case, chosen, context, body), body)


def _check_public(case: Case, chosen: CipherSuite, context: GroupContext, data: bytes, body: Body) -> None:
    message = parse_message(data)
    if not isinstance(message, PublicMessage):
        raise TypeError("not a public message")
    opened = open_public(chosen, message, _hex(case["membership_key"]), context.encode())
    verify_content(chosen, _hex(case["signature_pub"]), opened, context.encode())
    expect("what a public message holds", encode_body(opened.content.body), encode_body(body))


def _check_private(case: Case, chosen: CipherSuite, context: GroupContext, data: bytes, body: Body) -> None:
    message = parse_message(data)
    if not isinstance(message, PrivateMessage):
        raise TypeError("not a private message")
    sender = open_sender_data(chosen, message, _hex(case["sender_data_secret"]))
    expect("the sender", sender.leaf_index, _SENDER.index)
    ratchets, _ = SecretTree.start(chosen, _hex(case["encryption_secret"]), _LEAF_COUNT).leaf(_SENDER.index)
    application = message.content_type is ContentType.APPLICATION
    ratchet = ratchets.application if application else ratchets.handshake
    key, nonce, _ = ratchet.take(chosen, sender.generation)
    opened = open_private(chosen, message, sender, key, nonce)
    verify_content(chosen, _hex(case["signature_pub"]), opened, context.encode())
    expect("what a private message holds", encode_body(opened.content.body), encode_body(body))


def _signed(
    case: Case, chosen: CipherSuite, context: GroupContext, body: Body, wire_format: WireFormat
) -> AuthenticatedContent:
    content = FramedContent.of(
        group_id=context.group_id,
        epoch=context.epoch,
        sender=_SENDER,
        authenticated_data=b"data",
        body=body,
    )
    signature = sign_content(
        chosen,
        _hex(case["signature_priv"]),
        content,
        wire_format=wire_format,
        group_context=context.encode(),
    )
    tag = bytes(chosen.hash_size) if isinstance(body, Commit) else None
    return AuthenticatedContent(
        wire_format=wire_format, content=content, signature=signature, confirmation_tag=tag
    )


def _protect_public(case: Case, chosen: CipherSuite, context: GroupContext, body: Body) -> bytes:
    signed = _signed(case, chosen, context, body, WireFormat.PUBLIC_MESSAGE)
    message = seal_public(chosen, signed, _hex(case["membership_key"]), context.encode())
    return encode_message(message)


def _protect_private(case: Case, chosen: CipherSuite, context: GroupContext, body: Body) -> bytes:
    signed = _signed(case, chosen, context, body, WireFormat.PRIVATE_MESSAGE)
    content_type = signed.content.content_type
    ratchets, _ = SecretTree.start(chosen, _hex(case["encryption_secret"]), _LEAF_COUNT).leaf(_SENDER.index)
    ratchet = ratchets.application if content_type is ContentType.APPLICATION else ratchets.handshake
    key, nonce, _ = ratchet.draw(chosen)
    sealed = seal_private(
        chosen,
        key=key,
        nonce=nonce,
        sender=SenderData(_SENDER.index, 0, b"rand"),
        sender_data_secret=_hex(case["sender_data_secret"]),
        place=place_of(context.group_id, context.epoch, content_type),
        authenticated_data=b"data",
        content=encode_body(body) + signed.encode_auth() + bytes(5),
    )
    return b"\x00\x01\x00\x02" + sealed


KINDS: dict[str, Callable[[Any], None]] = {
    "deserialization": check_deserialization,
    "messages": check_messages,
    "key-schedule": check_key_schedule,
    "secret-tree": check_secret_tree,
    "message-protection": check_message_protection,
    "transcript-hashes": check_transcript_hashes,
    "psk_secret": check_psk_secret,
}
