"""From content to bytes that may travel: signatures, keys and padding (RFC 9420 §6)."""

from typing import Final

from skvoz.base.errors import BadRequest
from skvoz.base.ports import Randomness
from skvoz.codec import opaque
from skvoz.mls.epoch import EpochState
from skvoz.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    Sender,
    WireFormat,
    encode_body,
    encode_framed,
    sign_content,
    sign_encoded,
)
from skvoz.mls.message import encode_message, wrap
from skvoz.mls.private_message import REUSE_GUARD_SIZE, SenderData, place_of, seal_private
from skvoz.mls.proposals import Proposal
from skvoz.mls.public_message import seal_public
from skvoz.mls.secret_tree import LeafRatchets, SecretTree

PADDING_SIZE_MAX: Final = 1 << 20
"""Zeros that may follow a message's content, bytes."""


def sign_proposal(
    state: EpochState, proposal: Proposal, authenticated_data: bytes, wire_format: WireFormat
) -> AuthenticatedContent:
    """Frame and sign a proposal of this client."""
    content = FramedContent.of(
        group_id=state.context.group_id,
        epoch=state.context.epoch,
        sender=Sender.member(state.own_leaf_index),
        authenticated_data=authenticated_data,
        body=proposal,
    )
    signature = sign_content(
        state.suite,
        state.signature_key.signer(state.suite),
        content,
        wire_format=wire_format,
        group_context=state.context_bytes,
    )
    return AuthenticatedContent(wire_format=wire_format, content=content, signature=signature)


def seal_handshake(
    state: EpochState,
    secret_tree: SecretTree,
    authenticated: AuthenticatedContent,
    *,
    padding_size: int,
    randomness: Randomness,
) -> tuple[SecretTree, bytes]:
    """Protect a signed proposal or commit as its wire format says; return the advanced secret tree."""
    if authenticated.wire_format is WireFormat.PUBLIC_MESSAGE:
        message = seal_public(state.suite, authenticated, state.secrets.membership_key, state.context_bytes)
        return secret_tree, encode_message(message)
    body = encode_body(authenticated.content.body) + authenticated.encode_auth()
    return _seal(
        state,
        secret_tree,
        authenticated.content.content_type,
        authenticated.content.authenticated_data,
        body,
        padding_size=padding_size,
        randomness=randomness,
    )


def seal_application(
    state: EpochState,
    secret_tree: SecretTree,
    data: bytes,
    *,
    authenticated_data: bytes,
    padding_size: int,
    randomness: Randomness,
) -> tuple[SecretTree, bytes]:
    """Sign and encrypt application data; return the advanced secret tree."""
    body = opaque(data)
    sender = Sender.member(state.own_leaf_index)
    content = encode_framed(
        group_id=state.context.group_id,
        epoch=state.context.epoch,
        sender=sender,
        authenticated_data=authenticated_data,
        content_type=ContentType.APPLICATION,
        body=body,
    )
    signature = sign_encoded(
        state.suite,
        state.signature_key.signer(state.suite),
        content,
        sender=sender,
        wire_format=WireFormat.PRIVATE_MESSAGE,
        group_context=state.context_bytes,
    )
    return _seal(
        state,
        secret_tree,
        ContentType.APPLICATION,
        authenticated_data,
        body + opaque(signature),
        padding_size=padding_size,
        randomness=randomness,
    )


def _seal(
    state: EpochState,
    secret_tree: SecretTree,
    content_type: ContentType,
    authenticated_data: bytes,
    content: bytes,
    *,
    padding_size: int,
    randomness: Randomness,
) -> tuple[SecretTree, bytes]:
    if not 0 <= padding_size <= PADDING_SIZE_MAX:
        raise BadRequest("a padding of this size is not possible")
    suite, leaf_index = state.suite, state.own_leaf_index
    ratchets, drawn = secret_tree.leaf(leaf_index)
    if content_type is ContentType.APPLICATION:
        generation = ratchets.application.generation
        key, nonce, ratchet = ratchets.application.draw(suite)
        moved = LeafRatchets(ratchets.handshake, ratchet)
    else:
        generation = ratchets.handshake.generation
        key, nonce, ratchet = ratchets.handshake.draw(suite)
        moved = LeafRatchets(ratchet, ratchets.application)
    sealed = seal_private(
        suite,
        key=key,
        nonce=nonce,
        sender=SenderData(leaf_index, generation, randomness(REUSE_GUARD_SIZE)),
        sender_data_secret=state.secrets.sender_data_secret,
        place=place_of(state.context.group_id, state.context.epoch, content_type),
        authenticated_data=authenticated_data,
        content=content + bytes(padding_size),
    )
    return drawn.with_leaf(leaf_index, moved), wrap(WireFormat.PRIVATE_MESSAGE, sealed)
