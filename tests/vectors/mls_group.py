"""Checkers of the MLS working group's vectors about whole groups; each takes one case."""

from collections.abc import Callable
from typing import Any

from skvoz.codec import Reader
from skvoz.crypto.suites import suite
from skvoz.mls import (
    Group,
    KeyPackageBundle,
    PreSharedKeys,
    ProposalStored,
    StagedCommit,
    parse_key_package,
    parse_welcome,
)
from skvoz.mls.key_schedule import derive_epoch
from tests.vectors.outcome import MismatchError, expect

Case = dict[str, Any]
_hex = bytes.fromhex


def check_welcome(case: Case) -> None:
    chosen = suite(case["cipher_suite"])
    key_package = parse_key_package(_hex(case["key_package"]))
    welcome = parse_welcome(_hex(case["welcome"]))
    secrets = welcome.open_secrets(chosen, key_package.reference(chosen), _hex(case["init_priv"]))
    no_psk = bytes(chosen.hash_size)
    group_info = welcome.open_group_info(chosen, secrets.joiner_secret, no_psk)
    group_info.verify(chosen, _hex(case["signer_pub"]))
    context = group_info.group_context
    schedule = derive_epoch(chosen, secrets.joiner_secret, no_psk, context.encode())
    tag = chosen.mac(schedule.confirmation_key, context.confirmed_transcript_hash)
    expect("confirmation_tag", group_info.confirmation_tag, tag)
    reader = Reader(group_info.encode())
    expect("the group info parsed again", type(group_info).parse(reader), group_info)


def check_passive_client(case: Case) -> None:
    """Join by the Welcome, follow every commit, and store and restore the group in between."""
    bundle = KeyPackageBundle(
        suite=suite(case["cipher_suite"]),
        key_package=parse_key_package(_hex(case["key_package"])),
        init_private_key=_hex(case["init_priv"]),
        leaf_private_key=_hex(case["encryption_priv"]),
        signature_private_key=_hex(case["signature_priv"]),
    )
    _check_private_keys(bundle)
    psks = PreSharedKeys(external={_hex(psk["psk_id"]): _hex(psk["psk"]) for psk in case["external_psks"]})
    tree = None if case["ratchet_tree"] is None else _hex(case["ratchet_tree"])
    group = Group.join(_hex(case["welcome"]), bundle, ratchet_tree=tree, psks=psks).group
    expect(
        "initial_epoch_authenticator", group.epoch_authenticator.hex(), case["initial_epoch_authenticator"]
    )
    for epoch in case["epochs"]:
        for proposal in epoch["proposals"]:
            received = group.receive(_hex(proposal), psks=psks)
            if not isinstance(received, ProposalStored):
                raise MismatchError("a proposal was not taken")
            group = _stored_and_restored(received.group)
        followed = group.receive(_hex(epoch["commit"]), psks=psks)
        if not isinstance(followed, StagedCommit) or followed.next is None:
            raise MismatchError("a commit was not followed")
        group = _stored_and_restored(followed.next)
        expect("epoch_authenticator", group.epoch_authenticator.hex(), epoch["epoch_authenticator"])


def _check_private_keys(bundle: KeyPackageBundle) -> None:
    kem, leaf = bundle.suite.kem, bundle.key_package.leaf_node
    expect("init_priv", kem.public_key_of(bundle.init_private_key), bundle.key_package.init_key)
    expect("encryption_priv", kem.public_key_of(bundle.leaf_private_key), leaf.encryption_key)
    signature_key = bundle.suite.signature.public_key_of(bundle.signature_private_key)
    expect("signature_priv", signature_key, leaf.signature_key)


def _stored_and_restored(group: Group) -> Group:
    parts = group.snapshot()
    tree, members, epoch, secrets = parts.tree, parts.members, parts.epoch, parts.secrets
    if tree is None or members is None or epoch is None or secrets is None:
        raise MismatchError("a whole snapshot lacks a part")
    return Group.restore(
        members=members, epoch=epoch, secrets=secrets, ratchets=parts.ratchets, load_tree=lambda: tree
    )


KINDS: dict[str, Callable[[Any], None]] = {
    "welcome": check_welcome,
    "passive-client": check_passive_client,
}
