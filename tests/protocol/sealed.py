"""Vectors of what is encapsulated to somebody: made once with chance, and held by opening them.

Each has a function that makes one, and one that computes all of it again from its private keys.
"""

from skvoz.client import closers, epochs, policy
from skvoz.client.envelope import (
    ACCESS_LABEL,
    APPLICATION,
    CLOSER,
    ENVELOPE_LABEL,
    open_entry,
    seal_entry,
    segment_hash,
)
from skvoz.client.inbox_mail import INVITATION, open_mail, seal_mail
from skvoz.crypto import sha256
from skvoz.crypto.hpke import hpke_context, hpke_seal
from skvoz.crypto.kem_xwing import XWING
from skvoz.mls import (
    Add,
    ApplicationMessage,
    Group,
    KeyPackageBundle,
    Lifetime,
    StagedCommit,
    parse_key_package,
)
from skvoz.wire import frames, sealed
from tests.protocol.made import (
    ANNA,
    BORIS,
    ENTRY_ID,
    GROUP_ID,
    INBOX_ID,
    INFO,
    SUITE,
    Vector,
    fixed,
    text_of_anna,
)

ALWAYS = Lifetime(not_before=0, not_after=2**62)
INFO_STRING = b"info"
PLAINTEXT = b"plaintext"


def _bytes(vector: Vector, name: str) -> bytes:
    value = vector[name]
    assert isinstance(value, str)
    return bytes.fromhex(value)


def make_xwing() -> Vector:
    seed = fixed("xwing seed")
    kem_output, ciphertext = hpke_seal(
        SUITE, XWING.public_key_of(seed), INFO_STRING, b"", PLAINTEXT, fixed_ephemeral
    )
    return xwing({"kem_output": kem_output.hex(), "ciphertext": ciphertext.hex()})


def fixed_ephemeral(size: int) -> bytes:
    return fixed("ephemeral", size)


def xwing(stored: Vector) -> Vector:
    seed, ikm = fixed("xwing seed"), fixed("xwing ikm")
    kem_output = _bytes(stored, "kem_output")
    shared = XWING.decapsulate(seed, kem_output)
    context = hpke_context(SUITE, shared, INFO_STRING)
    assert context.open(b"", _bytes(stored, "ciphertext")) == PLAINTEXT
    derived = XWING.derive(ikm)
    return {
        "private_key": seed.hex(),
        "public_key": XWING.public_key_of(seed).hex(),
        "derive_ikm": ikm.hex(),
        "derived_private_key": derived.private_key.hex(),
        "derived_public_key_sha256": sha256(derived.public_key).hex(),
        "kem_output": kem_output.hex(),
        "shared_secret": shared.hex(),
        "hpke_suite_id": context.suite_id.hex(),
        "hpke_info": INFO_STRING.hex(),
        "hpke_key": context.key.hex(),
        "hpke_base_nonce": context.base_nonce.hex(),
        "hpke_exporter_secret": context.exporter_secret.hex(),
        "hpke_export_of_empty_context_32": context.export(b"", 32).hex(),
        "plaintext": PLAINTEXT.hex(),
        "ciphertext": context.seal(b"", PLAINTEXT).hex(),
    }


def make_mail() -> Vector:
    mail = seal_mail(
        SUITE,
        public_key=ANNA.inbox.public_key,
        inbox_id=INBOX_ID,
        recipient=ANNA.account_id,
        kind=INVITATION,
        content=fixed("invitation id", 16) + bytes.fromhex("0000000105") + b"piece",
        randomness=lambda size: fixed("mail", size),
    )
    return mail_opened({"mail": mail.hex()})


def mail_opened(stored: Vector) -> Vector:
    mail = _bytes(stored, "mail")
    kind, content = open_mail(
        SUITE,
        private_key=ANNA.inbox.private_key,
        inbox_id=INBOX_ID,
        recipient=ANNA.account_id,
        mail=mail,
    )
    return {
        "inbox_private_key": ANNA.inbox.private_key.hex(),
        "inbox_id": INBOX_ID.hex(),
        "recipient_account_id": ANNA.account_id.hex(),
        "hpke_info": (b"skvoz inbox mail 1" + INBOX_ID + ANNA.account_id).hex(),
        "kind": kind,
        "content": content.hex(),
        "mail": mail.hex(),
    }


RELAY_PRIVATE_KEY = fixed("relay private key")
WELCOME = frames.Welcome(
    token=fixed("token"),
    store=fixed("store", 16),
    resumed=False,
    limits=frames.Limits(65_552, 1_048_592, 262_144, 10_000, 2_592_000, 300),
    addresses=["wss://relay.example/path"],
    carries=True,
)


def make_session() -> Vector:
    relay_key = XWING.public_key_of(RELAY_PRIVATE_KEY)
    first, greeting = sealed.greet(SUITE, relay_key, lambda size: fixed("greeting", size))
    arrival = sealed.receive_greeting(SUITE, RELAY_PRIVATE_KEY, first)
    second, _ = arrival.answer(WELCOME, lambda size: fixed("answer", size))
    one_time = greeting._ephemeral_private_key
    return session({"one_time_private_key": one_time.hex(), "hello": first.hex(), "welcome": second.hex()})


def session(stored: Vector) -> Vector:
    one_time, first, second = (_bytes(stored, name) for name in ("one_time_private_key", "hello", "welcome"))
    arrival = sealed.receive_greeting(SUITE, RELAY_PRIVATE_KEY, first)
    assert arrival.hello.ephemeral == XWING.public_key_of(one_time)
    size = XWING.encapsulation_size
    root = SUITE.hpke_export_receiver(
        RELAY_PRIVATE_KEY, first[1 : 1 + size], b"skvoz session 1 hello", b"", 64
    )
    info = b"skvoz session 1 welcome" + sha256(first)
    shared = SUITE.hpke_export_receiver(one_time, second[:size], info, b"", 32)
    up_key, down_key = sealed._keys(root[32:], shared)
    welcome, client = sealed.Greeting(SUITE, one_time, root[32:], sha256(first)).finish(second)
    up_frames = [frames.Credit(0)]
    return {
        "relay_private_key": RELAY_PRIVATE_KEY.hex(),
        "relay_id": sha256(XWING.public_key_of(RELAY_PRIVATE_KEY)).hex(),
        "one_time_private_key": one_time.hex(),
        "hello": first.hex(),
        "hello_key": root[:32].hex(),
        "hello_frames": frames.encode([arrival.hello]).hex(),
        "chain": root[32:].hex(),
        "welcome": second.hex(),
        "shared": shared.hex(),
        "key_up": up_key.hex(),
        "key_down": down_key.hex(),
        "welcome_frames": frames.encode([welcome]).hex(),
        "first_frames_up": frames.encode(up_frames).hex(),
        "first_message_up": client.seal_up(up_frames).hex(),
    }


def make_group() -> Vector:
    """Make a group of Anna's, into which Boris comes; a message; and a commit."""
    counter = iter(range(10_000))

    def randomness(size: int) -> bytes:
        return fixed(f"group {next(counter)}", size)

    extensions, capabilities = policy.extensions_of(INFO), policy.capabilities(SUITE)
    group = Group.create(
        SUITE,
        GROUP_ID,
        ANNA.certificate,
        ANNA.device,
        lifetime=ALWAYS,
        randomness=randomness,
        extensions=extensions,
        capabilities=capabilities,
    )
    bundle = KeyPackageBundle.create(
        SUITE,
        BORIS.certificate,
        BORIS.device,
        lifetime=ALWAYS,
        randomness=randomness,
        capabilities=capabilities,
    )
    added = group.stage_commit(
        proposals=[Add(bundle.key_package)], path=True, randomness=randomness, policy=policy.MEMBERS
    )
    assert added.welcome is not None
    group, message = added.next.protect(text_of_anna(), randomness=randomness)
    secret = group.export(ENVELOPE_LABEL, b"", 32)
    entry = seal_entry(SUITE, secret, ENTRY_ID, APPLICATION, message)
    update = group.stage_commit(path=True, randomness=randomness, policy=policy.MEMBERS)
    closer_id = fixed("closer id", 16)
    closer = seal_entry(SUITE, secret, type(ENTRY_ID)(closer_id), CLOSER, closers.pack([], update.commit))
    return group_joined(
        {
            "key_package": bundle.message().hex(),
            "init_private_key": bundle.init_private_key.hex(),
            "leaf_private_key": bundle.leaf_private_key.hex(),
            "welcome": added.welcome.hex(),
            "entry_body": entry.hex(),
            "closer_id": closer_id.hex(),
            "closer_body": closer.hex(),
        }
    )


def group_joined(stored: Vector) -> Vector:
    """Join as Boris, read the message, and follow the commit."""
    key_package = _bytes(stored, "key_package")
    bundle = KeyPackageBundle(
        suite=SUITE,
        key_package=parse_key_package(key_package),
        init_private_key=_bytes(stored, "init_private_key"),
        leaf_private_key=_bytes(stored, "leaf_private_key"),
        signature_private_key=BORIS.device.private_key,
    )
    joined = Group.join(_bytes(stored, "welcome"), bundle, policy=policy.MEMBERS).group
    policy.check_member_kinds(joined)
    secret = joined.export(ENVELOPE_LABEL, b"", 32)
    body, closer_id = _bytes(stored, "entry_body"), _bytes(stored, "closer_id")
    message = open_entry(SUITE, secret, ENTRY_ID, APPLICATION, body)
    read = joined.receive(message, policy=policy.MEMBERS)
    assert isinstance(read, ApplicationMessage)
    closer = open_entry(SUITE, secret, type(ENTRY_ID)(closer_id), CLOSER, _bytes(stored, "closer_body"))
    proposals, commit = closers.unpack(closer)
    staged = read.group.receive(commit, policy=policy.MEMBERS)
    assert isinstance(staged, StagedCommit)
    assert staged.next is not None
    assert not proposals
    policy.check_commit(read.group, staged.sender, staged.effects)
    return {
        "group_id": GROUP_ID.hex(),
        "cipher_suite": SUITE.number,
        "signature_private_key": BORIS.device.private_key.hex(),
        "key_package": key_package.hex(),
        "key_package_ref": bundle.reference.hex(),
        "init_private_key": bundle.init_private_key.hex(),
        "leaf_private_key": bundle.leaf_private_key.hex(),
        "welcome": _bytes(stored, "welcome").hex(),
        **_epoch("joined", joined),
        "entry_id": ENTRY_ID.hex(),
        "entry_body": body.hex(),
        "entry_content": read.data.hex(),
        "entry_author_account_id": policy.account_of(read.credential).hex(),
        "closer_id": closer_id.hex(),
        "closer_body": _bytes(stored, "closer_body").hex(),
        "closer_content": closer.hex(),
        **_epoch("next", staged.next),
    }


def _epoch(name: str, group: Group) -> Vector:
    access_key = group.export(ACCESS_LABEL, b"", 32)
    assert access_key == epochs.access_key(group)
    return {
        f"{name}_epoch": group.epoch,
        f"{name}_tree_hash": group.context.tree_hash.hex(),
        f"{name}_epoch_authenticator": group.epoch_authenticator.hex(),
        f"{name}_envelope_secret": group.export(ENVELOPE_LABEL, b"", 32).hex(),
        f"{name}_access_key": access_key.hex(),
        f"{name}_segment_hash": segment_hash(access_key).hex(),
    }
