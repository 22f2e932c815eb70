"""Who joins checks everything (RFC 9420 §§ 12.4.3.1, 12.4.3.2), and continues only the group it meant to."""

import pytest
from msgspec.structs import replace

from skvoz.base.errors import Conflict, DecryptFailed, Invalid, Malformed, PeerError
from skvoz.codec import opaque
from skvoz.crypto.suites import suite
from skvoz.mls import (
    Add,
    Extension,
    Group,
    GroupInfo,
    KeyPackageBundle,
    Policy,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeys,
    ReInit,
    Remove,
    ResumptionUsage,
    StagedCommit,
    Welcome,
    branch,
    encode_message,
    parse_group_info,
    parse_welcome,
    reinitialise,
)
from skvoz.mls.commit_creation import create_group_info
from skvoz.mls.key_packages import as_credential
from skvoz.mls.key_schedule import KeySchedule, derive_epoch, derive_welcome_secret
from skvoz.mls.nodes import ExtensionType
from skvoz.mls.pre_shared_keys import psk_secret
from skvoz.mls.tree_kem import PathCiphertext
from skvoz.mls.welcome import EncryptedGroupSecrets, GroupSecrets, Joiner, seal_welcome
from tests.mls.people import LIFETIME, SUITE, Counter, agree, bundle, follow, founder, group_of

RANDOM = Counter("joining")


class Invited:
    """Bob's KeyPackage, a group with Bob in it as Alice sees it, and the honest Welcome opened."""

    def __init__(self) -> None:
        self.bob = bundle("bob", RANDOM)
        alice, self.carol = group_of(("alice", "carol"))
        pending = alice.stage_commit(randomness=RANDOM, proposals=[Add(self.bob.key_package)], path=True)
        assert pending.welcome is not None
        self.alice = pending.next
        self.message = pending.welcome
        self.welcome = parse_welcome(self.message)
        self.secrets = self.welcome.open_secrets(SUITE, self.bob.reference, self.bob.init_private_key)
        zeros = bytes(SUITE.hash_size)
        self.group_info = self.welcome.open_group_info(SUITE, self.secrets.joiner_secret, zeros)

    def sealed(self, group_info: GroupInfo | None = None, path_secret: bytes | None = None) -> Welcome:
        """Seal a Welcome to Bob with something changed in it."""
        schedule = self.schedule()
        joiner = Joiner(key_package=self.bob.key_package, path_secret=path_secret or self.secrets.path_secret)
        return seal_welcome(
            SUITE, schedule, group_info or self.group_info, [joiner], psks=(), randomness=RANDOM
        )

    def schedule(self) -> KeySchedule:
        zeros = bytes(SUITE.hash_size)
        return derive_epoch(SUITE, self.secrets.joiner_secret, zeros, self.group_info.group_context.encode())

    def described(self, group: Group | None = None, **changes: object) -> GroupInfo:
        """Sign a GroupInfo again, as a member whose state says something else."""
        state = (group or self.alice).state
        context = replace(state.context, **changes)
        return create_group_info(replace(state, context=context), with_tree=True)


@pytest.fixture
def invited() -> Invited:
    return Invited()


def test_an_honest_welcome_holds(invited: Invited) -> None:
    joined = Group.join(invited.message, invited.bob)
    agree(joined.group, invited.alice)
    assert joined.sender_credential == as_credential(b"alice")
    assert Group.join(invited.sealed(), invited.bob).group.epoch_authenticator == (
        invited.alice.epoch_authenticator
    )


def test_a_welcome_for_somebody_else_is_refused(invited: Invited) -> None:
    with pytest.raises(Invalid, match="somebody else"):
        Group.join(invited.message, bundle("mallory", RANDOM))
    stolen = bundle("mallory", RANDOM)
    pretending = replace(stolen, key_package=invited.bob.key_package)
    with pytest.raises(DecryptFailed):
        Group.join(invited.message, pretending)


def test_a_welcome_for_another_suite_is_refused(invited: Invited) -> None:
    with pytest.raises(Invalid, match="another cipher suite"):
        Group.join(replace(invited.welcome, cipher_suite=3), invited.bob)
    with pytest.raises(Invalid, match="another cipher suite"):
        Group.join(invited.welcome, bundle("bob", RANDOM, own_suite=suite(3)))


def test_the_group_info_is_for_the_same_suite(invited: Invited) -> None:
    with pytest.raises(Invalid, match="another cipher suite"):
        Group.join(invited.sealed(invited.described(cipher_suite=3)), invited.bob)


def test_the_group_infos_signer_is_the_one_that_it_names(invited: Invited) -> None:
    honest = invited.group_info
    for signer, kind in ((1, DecryptFailed), (2, DecryptFailed), (3, Invalid), (9, Invalid)):
        lied = replace(honest, signer=signer, signed=honest.signed[:-4] + signer.to_bytes(4, "big"))
        with pytest.raises(kind):
            Group.join(invited.sealed(lied), invited.bob)
    with pytest.raises(DecryptFailed):
        Group.join(invited.sealed(replace(honest, signature=b"")), invited.bob)
    by_carol = create_group_info(
        replace(invited.alice.state, signature_key=invited.carol.state.signature_key), with_tree=True
    )
    with pytest.raises(DecryptFailed):
        Group.join(invited.sealed(by_carol), invited.bob)


def test_the_tree_is_the_one_that_was_signed(invited: Invited) -> None:
    with pytest.raises(Invalid, match="not that of the group"):
        Group.join(invited.sealed(invited.described(tree_hash=bytes(32))), invited.bob)
    bare = create_group_info(invited.alice.state, with_tree=False)
    with pytest.raises(Invalid, match="without the ratchet tree"):
        Group.join(invited.sealed(bare), invited.bob)
    other_tree = founder("mallory", RANDOM).ratchet_tree()
    with pytest.raises(PeerError):
        Group.join(invited.sealed(bare), invited.bob, ratchet_tree=other_tree)
    with pytest.raises(Malformed):
        Group.join(invited.sealed(bare), invited.bob, ratchet_tree=b"\x01\x07")
    whole = invited.alice.ratchet_tree()
    agree(Group.join(invited.sealed(bare), invited.bob, ratchet_tree=whole).group, invited.alice)


def test_the_confirmation_tag_confirms_the_epoch(invited: Invited) -> None:
    state = replace(invited.alice.state, confirmation_tag=bytes(32))
    with pytest.raises(DecryptFailed):
        Group.join(invited.sealed(create_group_info(state, with_tree=True)), invited.bob)
    with pytest.raises(DecryptFailed):
        Group.join(invited.sealed(invited.described(epoch=99)), invited.bob)


def test_the_joiner_is_in_the_tree_with_its_own_leaf(invited: Invited) -> None:
    twin = bundle("bob", RANDOM)
    unlike = replace(invited.bob, key_package=twin.key_package, init_private_key=twin.init_private_key)
    sealed = seal_welcome(
        SUITE,
        invited.schedule(),
        invited.group_info,
        [Joiner(key_package=twin.key_package, path_secret=None)],
        psks=(),
        randomness=RANDOM,
    )
    with pytest.raises(Invalid, match="not in"):
        Group.join(sealed, unlike)
    own = replace(
        invited.alice.state,
        private=replace(invited.alice.state.private, leaf_index=2),
        signature_key=Group.join(invited.message, invited.bob).group.state.signature_key,
    )
    with pytest.raises(Invalid, match="not in"):
        Group.join(invited.sealed(create_group_info(own, with_tree=True)), invited.bob)


def test_the_path_secret_leads_to_the_tree(invited: Invited) -> None:
    with pytest.raises(Invalid):
        Group.join(invited.sealed(path_secret=bytes(32)), invited.bob)


def test_damaged_welcomes_are_refused(invited: Invited) -> None:
    message = invited.message
    for damaged in (message[:-1], message + b"\x00", message[:-1] + bytes((message[-1] ^ 1,))):
        with pytest.raises((Malformed, DecryptFailed)):
            Group.join(damaged, invited.bob)
    first = invited.welcome.secrets[0]
    empty = PathCiphertext(kem_output=b"", ciphertext=b"")
    broken = EncryptedGroupSecrets(new_member=first.new_member, encrypted=empty)
    with pytest.raises(PeerError):
        Group.join(replace(invited.welcome, secrets=(broken,)), invited.bob)
    with pytest.raises(Malformed):
        Group.join(invited.alice.group_info(), invited.bob)
    with pytest.raises(Malformed, match="not a group info"):
        parse_group_info(message)


def test_the_policy_sees_every_credential(invited: Invited) -> None:
    seen: list[bytes] = []

    def look(credential: object, signature_key: bytes) -> None:
        seen.append(signature_key)
        if len(seen) == 3:
            raise Invalid("refused by the application")

    with pytest.raises(Invalid, match="refused by the application"):
        Group.join(invited.message, invited.bob, policy=Policy(validate_credential=look))
    assert len(set(seen)) == 3


def test_pre_shared_keys_are_needed_and_mixed_in() -> None:
    alice = founder("alice", RANDOM)
    bob = bundle("bob", RANDOM)
    known = PreSharedKeys(external={b"door": b"knock knock"})
    psk = PreSharedKey(PreSharedKeyId.external(b"door", SUITE, RANDOM))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Add(bob.key_package), psk], psks=known)
    assert pending.welcome is not None
    with pytest.raises(Invalid, match="not known"):
        Group.join(pending.welcome, bob)
    with pytest.raises(DecryptFailed):
        Group.join(pending.welcome, bob, psks=PreSharedKeys(external={b"door": b"wrong"}))
    joined = Group.join(pending.welcome, bob, psks=known)
    agree(joined.group, pending.next)
    resumed = PreSharedKey(PreSharedKeyId.resumption(alice.group_id, pending.next.epoch, SUITE, RANDOM))
    again = pending.next.stage_commit(randomness=RANDOM, proposals=[resumed])
    agree(again.next, follow(joined.group, again))


def test_a_welcomes_keys_are_named_once_and_with_right_nonces(invited: Invited) -> None:
    good = PreSharedKeyId.external(b"door", SUITE, RANDOM)
    known = PreSharedKeys(external={b"door": b"key"})
    for psks, text in (((good, good), "twice"), ((replace(good, nonce=b""),), "nonce")):
        mixed = psk_secret(SUITE, [(psk, b"key") for psk in psks])
        welcome_secret = derive_welcome_secret(SUITE, invited.secrets.joiner_secret, mixed)
        sealed = seal_welcome(
            SUITE,
            replace(invited.schedule(), welcome_secret=welcome_secret),
            invited.group_info,
            [Joiner(key_package=invited.bob.key_package, path_secret=None)],
            psks=psks,
            randomness=RANDOM,
        )
        with pytest.raises(Invalid, match=text):
            Group.join(sealed, invited.bob, psks=known)


def test_group_secrets_end_where_they_end(invited: Invited) -> None:
    plain = GroupSecrets(joiner_secret=bytes(32), path_secret=None).encode() + b"\x00"
    sealed = SUITE.encrypt_with_label(
        invited.bob.key_package.init_key, "Welcome", invited.welcome.encrypted_group_info, plain, RANDOM
    )
    item = EncryptedGroupSecrets(
        new_member=invited.bob.reference,
        encrypted=PathCiphertext(kem_output=sealed.kem_output, ciphertext=sealed.ciphertext),
    )
    with pytest.raises(Malformed, match="left over"):
        Group.join(replace(invited.welcome, secrets=(item,)), invited.bob)


def test_an_external_joiner_checks_the_group_info_too(invited: Invited) -> None:
    keys = SUITE.generate_signature_key_pair(RANDOM)

    def join(info: bytes) -> None:
        Group.external_join(SUITE, info, b"dave", keys, randomness=RANDOM)

    with pytest.raises(Invalid, match="does not invite"):
        join(invited.alice.group_info(external_pub=False))
    with pytest.raises(Invalid, match="without the ratchet tree"):
        join(invited.alice.group_info(with_tree=False))
    info = parse_group_info(invited.alice.group_info())
    with pytest.raises(DecryptFailed):
        join(encode_message(replace(info, signature=bytes(64))))
    odd = create_group_info(
        invited.alice.state,
        with_tree=True,
        more_extensions=(Extension(kind=ExtensionType.EXTERNAL_PUB, data=opaque(b"x") + b"more"),),
    )
    with pytest.raises(Malformed):
        join(encode_message(odd))
    with pytest.raises(Invalid, match="another cipher suite"):
        Group.external_join(suite(3), invited.alice.group_info(), b"dave", keys, randomness=RANDOM)
    resumed = PreSharedKey(
        PreSharedKeyId.resumption(invited.alice.group_id, invited.alice.epoch, SUITE, RANDOM)
    )
    with pytest.raises(Invalid, match="not known"):
        Group.external_join(
            SUITE, invited.alice.group_info(), b"dave", keys, randomness=RANDOM, proposals=[resumed]
        )


def _ended(extensions: tuple[Extension, ...] = ()) -> tuple[Group, Group, KeyPackageBundle]:
    alice, bob = group_of(("alice", "bob"))
    reinit = ReInit(group_id=b"next", version=1, cipher_suite=3, extensions=extensions)
    pending = alice.stage_commit(randomness=RANDOM, proposals=[reinit])
    return pending.next, follow(bob, pending), bundle("bob", RANDOM, own_suite=suite(3))


def test_a_group_goes_on_in_another_suite() -> None:
    alice, bob, offer = _ended()
    pending = reinitialise(alice, [offer.key_package], lifetime=LIFETIME, randomness=RANDOM)
    assert pending.welcome is not None
    joined = Group.join(pending.welcome, offer, predecessor=bob)
    agree(joined.group, pending.next)
    assert joined.psks[0].usage is ResumptionUsage.REINIT
    assert (joined.group.group_id, joined.group.suite.number) == (b"next", 3)
    with pytest.raises(Invalid):
        Group.join(pending.welcome, offer)
    elsewhere = replace(
        bob, state=replace(bob.state, reinit=ReInit(group_id=b"other", version=1, cipher_suite=3))
    )
    with pytest.raises(Invalid, match="predecessor ended for"):
        Group.join(pending.welcome, offer, predecessor=elsewhere)
    going_on = replace(bob, state=replace(bob.state, reinit=None))
    with pytest.raises(Invalid, match="predecessor ended for"):
        Group.join(pending.welcome, offer, predecessor=going_on)
    with pytest.raises(Conflict, match="has not ended"):
        reinitialise(going_on, [offer.key_package], lifetime=LIFETIME, randomness=RANDOM)


def test_a_branch_holds_members_only() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    offer = bundle("bob", RANDOM)
    pending = branch(alice, b"branch", [offer.key_package], lifetime=LIFETIME, randomness=RANDOM)
    assert pending.welcome is not None
    agree(Group.join(pending.welcome, offer, predecessor=bob).group, pending.next)
    unrelated = replace(bob, state=replace(bob.state, context=replace(bob.context, epoch=7)))
    known = PreSharedKeys(resumption=bob.resumption_psks)
    with pytest.raises(Invalid, match="another one than"):
        Group.join(pending.welcome, offer, predecessor=unrelated, psks=known)
    with pytest.raises(Invalid, match="in a way"):
        Group.join(pending.welcome, offer, psks=known)
    strangers = [offer.key_package, bundle("mallory", RANDOM).key_package]
    pending = branch(alice, b"branch", strangers, lifetime=LIFETIME, randomness=RANDOM)
    assert pending.welcome is not None
    with pytest.raises(Invalid, match="not in the group before"):
        Group.join(pending.welcome, offer, predecessor=bob)


def test_a_group_that_should_continue_another_one_says_so(invited: Invited) -> None:
    bob = group_of(("alice", "bob"))[1]
    with pytest.raises(Invalid, match="does not continue"):
        Group.join(invited.message, invited.bob, predecessor=bob)


def test_a_branch_is_its_groups_first_commit() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    offers = [bundle(name, RANDOM) for name in ("bob", "carol")]
    pending = branch(alice, b"branch", [offers[0].key_package], lifetime=LIFETIME, randomness=RANDOM)
    psk = PreSharedKey(
        PreSharedKeyId.resumption(alice.group_id, alice.epoch, SUITE, RANDOM, ResumptionUsage.BRANCH)
    )
    with pytest.raises(Invalid, match="first commit"):
        pending.next.stage_commit(
            randomness=RANDOM,
            proposals=[Add(offers[1].key_package), psk],
            psks=PreSharedKeys(resumption=carol.resumption_psks),
        )
    assert bob.epoch == 1


def test_a_removed_member_can_be_added_again() -> None:
    alice, bob = group_of(("alice", "bob"))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Remove(1)])
    gone = bob.receive(pending.commit)
    assert isinstance(gone, StagedCommit)
    assert gone.next is None
    fresh = bundle("bob", RANDOM)
    again = pending.next.stage_commit(randomness=RANDOM, proposals=[Add(fresh.key_package)])
    assert again.welcome is not None
    agree(Group.join(again.welcome, fresh).group, again.next)
