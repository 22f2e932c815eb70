"""From received bytes to authenticated content: keys, signatures, and who may say what (RFC 9420 §6)."""

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.value import Value
from skvoz.mls.epoch import EpochState
from skvoz.mls.framing import AuthenticatedContent, ContentType, Sender, SenderType, verify_content
from skvoz.mls.members import Signatory, parse_external_senders
from skvoz.mls.message import parse_message
from skvoz.mls.nodes import Credential, ExtensionType
from skvoz.mls.outcomes import Duplicate, Future, OwnEcho, Stale
from skvoz.mls.policy import Policy
from skvoz.mls.private_message import PrivateMessage, SenderData, open_private, open_sender_data
from skvoz.mls.proposals import Add, Commit
from skvoz.mls.public_message import PublicMessage, open_public
from skvoz.mls.secret_tree import KeyUsed, LeafRatchets, SecretTree


class Opened(Value, frozen=True, kw_only=True):
    """A message whose signature fits; `secret_tree` is without its key."""

    authenticated: AuthenticatedContent
    credential: Credential
    secret_tree: SecretTree


def open_message(
    state: EpochState, secret_tree: SecretTree, data: bytes, policy: Policy
) -> Opened | OwnEcho | Stale | Future | Duplicate:
    """Parse, decrypt and verify a message to a group; raise `Malformed`, `Invalid` or `DecryptFailed`."""
    message = parse_message(data)
    if isinstance(message, PrivateMessage):
        group_id, epoch = message.group_id, message.epoch
    elif isinstance(message, PublicMessage):
        group_id, epoch = message.authenticated.content.group_id, message.authenticated.content.epoch
    else:
        raise Malformed("the message is not one to a group")
    if group_id != state.context.group_id:
        raise Invalid("a message is for another group")
    if epoch != state.context.epoch:
        return Stale(epoch=epoch) if epoch < state.context.epoch else Future(epoch=epoch)
    if isinstance(message, PrivateMessage):
        return _open_private(state, secret_tree, message)
    return _open_public(state, secret_tree, message, policy)


def _open_private(
    state: EpochState, secret_tree: SecretTree, message: PrivateMessage
) -> Opened | OwnEcho | Duplicate:
    suite = state.suite
    sender = open_sender_data(suite, message, state.secrets.sender_data_secret)
    signatory = state.members.signatory(sender.leaf_index)
    own = sender.leaf_index == state.own_leaf_index
    try:
        key, nonce, advanced = _take_key(secret_tree, message, sender)
    except KeyUsed:
        if own:
            return OwnEcho(content_type=message.content_type, generation=sender.generation, unknown=False)
        return Duplicate(sender=sender.leaf_index, content_type=message.content_type)
    authenticated = open_private(suite, message, sender, key, nonce)
    verify_content(suite, signatory.signature_key, authenticated, state.context_bytes)
    if own:
        return OwnEcho(content_type=message.content_type, generation=sender.generation, unknown=True)
    return Opened(authenticated=authenticated, credential=signatory.credential, secret_tree=advanced)


def _take_key(
    secret_tree: SecretTree, message: PrivateMessage, sender: SenderData
) -> tuple[bytes, bytes, SecretTree]:
    ratchets, drawn = secret_tree.leaf(sender.leaf_index)
    if message.content_type is ContentType.APPLICATION:
        key, nonce, ratchet = ratchets.application.take(drawn.suite, sender.generation)
        moved = LeafRatchets(ratchets.handshake, ratchet)
    else:
        key, nonce, ratchet = ratchets.handshake.take(drawn.suite, sender.generation)
        moved = LeafRatchets(ratchet, ratchets.application)
    return key, nonce, drawn.with_leaf(sender.leaf_index, moved)


def _open_public(
    state: EpochState, secret_tree: SecretTree, message: PublicMessage, policy: Policy
) -> Opened | OwnEcho:
    authenticated = open_public(state.suite, message, state.secrets.membership_key, state.context_bytes)
    content = authenticated.content
    sender = content.sender
    if sender.kind is SenderType.MEMBER and not policy.public_handshakes:
        raise Invalid("a member's handshake message came unencrypted")
    if sender.kind is SenderType.NEW_MEMBER_COMMIT and not policy.external_commits:
        raise Invalid("this group takes no external commits")
    signatory = find_signatory(state, authenticated)
    verify_content(state.suite, signatory.signature_key, authenticated, state.context_bytes)
    if sender == Sender.member(state.own_leaf_index):
        return OwnEcho(content_type=content.content_type, generation=None, unknown=False)
    return Opened(authenticated=authenticated, credential=signatory.credential, secret_tree=secret_tree)


def find_signatory(state: EpochState, authenticated: AuthenticatedContent) -> Signatory:
    """Return whose signature a message must bear (RFC 9420 §§ 6.1, 12.1.8, 12.4.3.2); raise `Invalid`."""
    content = authenticated.content
    match content.sender.kind:
        case SenderType.MEMBER:
            return state.members.signatory(content.sender.index)
        case SenderType.EXTERNAL:
            listed = state.context.extension(ExtensionType.EXTERNAL_SENDERS)
            senders = () if listed is None else parse_external_senders(listed)
            if content.sender.index >= len(senders):
                raise Invalid("an external sender is not listed in the group")
            found = senders[content.sender.index]
            return Signatory(found.signature_key, found.credential)
        case SenderType.NEW_MEMBER_PROPOSAL:
            if not isinstance(content.body, Add):
                raise Invalid("somebody outside of the group proposes more than to be added")
            leaf = content.body.key_package.leaf_node
        case SenderType.NEW_MEMBER_COMMIT:
            if not isinstance(content.body, Commit) or content.body.path is None:
                raise Invalid("an external commit has no path")
            leaf = content.body.path.leaf_node
    return Signatory(leaf.signature_key, leaf.credential)
