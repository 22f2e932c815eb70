"""Proposals of those who are not in the group (RFC 9420 §12.1.8); always PublicMessages."""

from skvoz.base.errors import BadRequest
from skvoz.crypto.ports import KeyPair
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    Sender,
    SenderType,
    WireFormat,
    sign_content,
)
from skvoz.mls.key_packages import KeyPackageBundle
from skvoz.mls.message import encode_message
from skvoz.mls.proposals import FROM_EXTERNAL_SENDERS, Add, Proposal
from skvoz.mls.public_message import PublicMessage


def propose_to_join(
    bundle: KeyPackageBundle, group_id: bytes, epoch: int, *, authenticated_data: bytes = b""
) -> bytes:
    """Ask a group to add this client; return an `MLSMessage`."""
    return _sign(
        bundle.suite,
        bundle.signature_private_key,
        Sender(SenderType.NEW_MEMBER_PROPOSAL),
        Add(bundle.key_package),
        group_id=group_id,
        epoch=epoch,
        authenticated_data=authenticated_data,
    )


def propose_from_outside(
    suite: CipherSuite,
    signature_key_pair: KeyPair,
    sender_index: int,
    proposal: Proposal,
    *,
    group_id: bytes,
    epoch: int,
    authenticated_data: bytes = b"",
) -> bytes:
    """Propose as number `sender_index` of the group's external_senders; return an `MLSMessage`.

    Raises `BadRequest` for a type that only members may propose.
    """
    if proposal.kind not in FROM_EXTERNAL_SENDERS:
        raise BadRequest("only members may propose this")
    return _sign(
        suite,
        signature_key_pair.private_key,
        Sender(SenderType.EXTERNAL, sender_index),
        proposal,
        group_id=group_id,
        epoch=epoch,
        authenticated_data=authenticated_data,
    )


def _sign(
    suite: CipherSuite,
    private_key: bytes,
    sender: Sender,
    proposal: Proposal,
    *,
    group_id: bytes,
    epoch: int,
    authenticated_data: bytes,
) -> bytes:
    content = FramedContent.of(
        group_id=group_id,
        epoch=epoch,
        sender=sender,
        authenticated_data=authenticated_data,
        body=proposal,
    )
    # Who is outside does not know the group's context, and so does not sign it (RFC 9420 §6.1).
    signature = sign_content(
        suite, private_key, content, wire_format=WireFormat.PUBLIC_MESSAGE, group_context=b""
    )
    signed = AuthenticatedContent(wire_format=WireFormat.PUBLIC_MESSAGE, content=content, signature=signature)
    return encode_message(PublicMessage(authenticated=signed, membership_tag=None))
