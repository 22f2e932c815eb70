"""Fuzz joining with what a malicious inviter signs and seals: any group, any tree, any secrets.

Whatever of it is taken makes a group that can be stored, read again and spoken in.
"""

from functools import cache
from random import Random
from typing import Final

from msgspec.structs import replace

from fuzz.target import Script, Target, changed, scripts
from skvoz.base.errors import CallerError, PeerError
from skvoz.codec import Reader, opaque
from skvoz.mls import Extension, Extensions, Group, PreSharedKeyId, PreSharedKeyType, encode_message
from skvoz.mls.commit_creation import create_group_info
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_schedule import KeySchedule, derive_epoch, external_public_key
from skvoz.mls.nodes import ExtensionType
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_kem import PathCiphertext
from skvoz.mls.welcome import (
    EncryptedGroupSecrets,
    GroupInfo,
    GroupSecrets,
    Welcome,
    welcome_key_and_nonce,
)
from tests.mls.people import SUITE
from tests.mls.synthetic_tree import Counter
from tests.mls.test_joining import Invited

_RANDOM: Final = Counter("fuzz joins")


class Inviter:
    """A member who knows the secrets of its epoch, and says anything about the group."""

    def __init__(self) -> None:
        self.invited = Invited()
        self.keys = SUITE.generate_signature_key_pair(_RANDOM)
        self.chance: Random = Random(0)

    def _maybe_changed(self, data: bytes) -> bytes:
        return data if self.chance.randrange(3) else changed(self.chance, data)

    def tree(self) -> bytes:
        """Return the group's tree, or another one."""
        return self._maybe_changed(self.invited.alice.ratchet_tree())

    def context(self, tree: bytes) -> GroupContext:
        """Return a context that a tree fits, mostly."""
        honest = self.invited.group_info.group_context
        context = GroupContext.parse(Reader(self._maybe_changed(honest.encode())))
        if self.chance.randrange(4) == 0:
            return context
        return replace(context, tree_hash=RatchetTree.parse(SUITE, tree).root_hash())

    def schedule(self, context: GroupContext) -> KeySchedule:
        """Return the secrets of the epoch that a context makes."""
        return derive_epoch(
            SUITE, self.invited.secrets.joiner_secret, bytes(SUITE.hash_size), context.encode()
        )

    def group_info(self, schedule: KeySchedule, context: GroupContext, tree: bytes) -> GroupInfo:
        """Sign a description; its confirmation tag is right, mostly."""
        chance, alice = self.chance, self.invited.alice.state
        external = opaque(external_public_key(SUITE, schedule.secrets.external_secret))
        extensions: Extensions = (
            *((Extension(kind=ExtensionType.RATCHET_TREE, data=tree),) if chance.randrange(8) else ()),
            Extension(kind=ExtensionType.EXTERNAL_PUB, data=self._maybe_changed(external)),
        )
        tag = SUITE.mac(schedule.confirmation_key, context.confirmed_transcript_hash)
        return GroupInfo.sign(
            SUITE,
            alice.signature_key.private_key,
            group_context=context,
            extensions=extensions,
            confirmation_tag=self._maybe_changed(tag) if chance.randrange(4) == 0 else tag,
            signer=chance.choice((0, 0, 0, 0, 1, 2, 9, 2**32 - 1)),
        )

    def secrets(self) -> bytes:
        """Return what a Welcome tells one joiner."""
        chance, honest = self.chance, self.invited.secrets
        identity = PreSharedKeyId(kind=PreSharedKeyType.EXTERNAL, psk_id=b"psk", nonce=bytes(32))
        psks = (identity,) * (chance.randrange(9) // 7)
        path_secret = chance.choice((honest.path_secret, honest.path_secret, None, bytes(32), b""))
        plain = GroupSecrets(joiner_secret=honest.joiner_secret, path_secret=path_secret, psks=psks)
        return self._maybe_changed(plain.encode())

    def welcome(self) -> bytes:
        """Seal a Welcome to Bob over all that."""
        bob = self.invited.bob
        tree = self.tree()
        context = self.context(tree)
        schedule = self.schedule(context)
        key, nonce = welcome_key_and_nonce(SUITE, schedule.welcome_secret)
        sealed_info = SUITE.seal(key, nonce, b"", self.group_info(schedule, context, tree).encode())
        sealed = SUITE.encrypt_with_label(
            bob.key_package.init_key, "Welcome", sealed_info, self.secrets(), Counter("fuzz welcome")
        )
        secret = EncryptedGroupSecrets(
            new_member=bob.reference,
            encrypted=PathCiphertext(kem_output=sealed.kem_output, ciphertext=sealed.ciphertext),
        )
        return encode_message(
            Welcome(cipher_suite=SUITE.number, secrets=(secret,), encrypted_group_info=sealed_info)
        )

    def try_welcome(self) -> Group:
        """Join by a Welcome."""
        return Group.join(self.welcome(), self.invited.bob).group

    def try_tree_apart(self) -> Group:
        """Join by a Welcome with a tree beside it."""
        info = create_group_info(self.invited.alice.state, with_tree=False)
        return Group.join(self.invited.sealed(info), self.invited.bob, ratchet_tree=self.tree()).group

    def try_external_join(self) -> Group:
        """Join from outside, by whatever the description says."""
        tree = self.tree()
        context = self.context(tree)
        info = self.group_info(self.schedule(context), context, tree)
        joined = Group.external_join(
            SUITE, encode_message(info), b"outside", self.keys, randomness=Counter("fuzz external")
        )
        return joined.group

    def run(self, data: bytes) -> None:
        """Join in one of these ways, and use what comes of it."""
        self.chance = script = Script(data)
        group = script.choice(
            (self.try_welcome, self.try_welcome, self.try_tree_apart, self.try_external_join)
        )()
        parts = group.snapshot()
        tree = parts.tree or b""
        again = Group.restore(
            members=parts.members or b"",
            epoch=parts.epoch or b"",
            secrets=parts.secrets or b"",
            ratchets=parts.ratchets,
            load_tree=lambda: tree,
        )
        if again.epoch_authenticator != group.epoch_authenticator:
            raise AssertionError("a group is another once it was stored")
        again.protect(b"data", randomness=Counter("fuzz speech"))
        try:
            again.stage_commit(randomness=Counter("fuzz commit"), path=True)
        except (PeerError, CallerError):
            return  # a group that an inviter made impossible to commit in


@cache
def _inviter() -> Inviter:
    return Inviter()


def make() -> Target:
    """Return the target."""
    return Target(run=_inviter().run, seeds=scripts(120, 120))
