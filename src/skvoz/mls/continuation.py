"""A new group that continues another one: reinitialisation and branches (RFC 9420 §§ 11.2, 11.3).

Who joins passes the old group as `predecessor` to `Group.join`.
"""

from collections.abc import Sequence

from skvoz.base.errors import Conflict
from skvoz.base.ports import Randomness
from skvoz.crypto.ports import KeyPair
from skvoz.crypto.suites import CipherSuite, suite
from skvoz.mls.group import Group
from skvoz.mls.nodes import Credential, Extensions, KeyPackage, Lifetime
from skvoz.mls.outcomes import PendingCommit
from skvoz.mls.policy import OPEN, Policy
from skvoz.mls.pre_shared_keys import PreSharedKeyId, PreSharedKeys, ResumptionUsage
from skvoz.mls.proposals import Add, PreSharedKey


def reinitialise(
    old: Group,
    key_packages: Sequence[KeyPackage],
    *,
    lifetime: Lifetime,
    randomness: Randomness,
    new_suite: CipherSuite | None = None,
    credential: Credential | None = None,
    signature_key_pair: KeyPair | None = None,
    policy: Policy = OPEN,
    now_ms: int | None = None,
) -> PendingCommit:
    """Start the group for which a ReInit ended `old`, with everybody's fresh KeyPackages.

    The keys of `old` serve again unless others are given, as another signature scheme needs. Raises
    `Conflict` if `old` has not ended, `Invalid` for a KeyPackage that breaks a rule.
    """
    reinit = old.reinit
    if reinit is None:
        raise Conflict("this group has not ended")
    group = Group.create(
        suite(reinit.cipher_suite) if new_suite is None else new_suite,
        reinit.group_id,
        credential or old.credential(old.own_leaf_index),
        signature_key_pair or own_key_pair(old),
        lifetime=lifetime,
        randomness=randomness,
        extensions=reinit.extensions,
    )
    return _continue(
        old,
        group,
        key_packages,
        ResumptionUsage.REINIT,
        randomness=randomness,
        policy=policy,
        now_ms=now_ms,
    )


def branch(
    old: Group,
    group_id: bytes,
    key_packages: Sequence[KeyPackage],
    *,
    lifetime: Lifetime,
    randomness: Randomness,
    extensions: Extensions = (),
    signature_key_pair: KeyPair | None = None,
    policy: Policy = OPEN,
    now_ms: int | None = None,
) -> PendingCommit:
    """Start a group of some of the members of `old`, by their fresh KeyPackages; `old` goes on.

    Raises `Invalid` for a KeyPackage that breaks a rule.
    """
    group = Group.create(
        old.suite,
        group_id,
        old.credential(old.own_leaf_index),
        signature_key_pair or own_key_pair(old),
        lifetime=lifetime,
        randomness=randomness,
        extensions=extensions,
    )
    return _continue(
        old,
        group,
        key_packages,
        ResumptionUsage.BRANCH,
        randomness=randomness,
        policy=policy,
        now_ms=now_ms,
    )


def own_key_pair(group: Group) -> KeyPair:
    """Return the key pair with which this client signs in a group."""
    key = group.state.signature_key
    return KeyPair(private_key=key.private_key, public_key=key.public_key)


def _continue(
    old: Group,
    group: Group,
    key_packages: Sequence[KeyPackage],
    usage: ResumptionUsage,
    *,
    randomness: Randomness,
    policy: Policy,
    now_ms: int | None,
) -> PendingCommit:
    psk = PreSharedKeyId.resumption(old.group_id, old.epoch, group.suite, randomness, usage)
    adds = [Add(key_package) for key_package in key_packages]
    return group.stage_commit(
        randomness=randomness,
        proposals=(*adds, PreSharedKey(psk)),
        psks=PreSharedKeys(resumption=old.resumption_psks),
        policy=policy,
        now_ms=now_ms,
    )
