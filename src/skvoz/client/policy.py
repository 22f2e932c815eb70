"""Who may do what in a conversation: what is valid beyond the rules of MLS.

Everything here is a pure function of a group's state and of bytes: no clock, no contact list, so that all
members judge a closer alike.

- every leaf has a certificate of its account, and an update keeps the account
- nobody comes in under an account key older than one that their account has in the group already: a stolen
  key adds no devices once its successor is there
- direct and self conversations take nobody but the accounts that they began with
- admins add and remove people, change title, roles, relays, expiry and the door; in a direct conversation
  both may. Where no admin is left, every member is one
- everybody may add and remove devices of their own, and take a device that is lost out and in again in one
  commit, by a KeyPackage that the device made for coming back to this very group
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.ids import AccountId
from skvoz.base.limits import ADDS_PER_COMMIT_MAX, ROOM_DEVICES_MAX
from skvoz.client.certificates import CERTIFICATE_SIZE, account_id_of, verify_certificate
from skvoz.client.conversation_info import (
    CONVERSATION_EXTENSION,
    ConversationInfo,
    parse_conversation_info,
)
from skvoz.client.records import ConversationKind
from skvoz.crypto import CipherSuite
from skvoz.mls import (
    Capabilities,
    CommitEffects,
    Credential,
    CredentialType,
    Extension,
    Extensions,
    ExtensionType,
    Group,
    KeyPackage,
    LeafNode,
    Policy,
    ProposalType,
    RequiredCapabilities,
    SelfRemove,
    Update,
    default_capabilities,
)
from skvoz.mls.nodes import find_extension

GROUP_ID_SIZE: Final = 16
RETURN_EXTENSION: Final = 0xF0A4
"""In a KeyPackage: it brings its device back into the group whose id it holds, and nowhere else."""
_REQUIRED: Final = RequiredCapabilities(
    extensions=(CONVERSATION_EXTENSION,),
    proposals=(ProposalType.SELF_REMOVE,),
    credentials=(CredentialType.BASIC,),
)


def capabilities(suite: CipherSuite) -> Capabilities:
    """Return what a leaf in our conversations has to support."""
    return default_capabilities(suite, (CONVERSATION_EXTENSION, RETURN_EXTENSION))


def return_extensions(group_id: bytes) -> Extensions:
    """Return what marks a KeyPackage by which a lost device comes back into a group."""
    return (Extension(kind=RETURN_EXTENSION, data=group_id),)


def leads_back(key_package: KeyPackage, group_id: bytes) -> bool:
    """Tell whether a device made this KeyPackage to come back into a group."""
    return find_extension(key_package.extensions, RETURN_EXTENSION) == group_id


@lru_cache(maxsize=4096)
def _account_of(content: bytes) -> AccountId:
    if len(content) != CERTIFICATE_SIZE:
        raise Malformed("a certificate has a wrong size")
    return account_id_of(content[1:33])


def account_of(credential: Credential) -> AccountId:
    """Return whose leaf it is, of a credential that was checked when the leaf came into the group."""
    return _account_of(credential.content)


@lru_cache(maxsize=2048)
def _verify(content: bytes, signature_key: bytes) -> None:
    verify_certificate(content, signature_key)


def _validate_credential(credential: Credential, signature_key: bytes) -> None:
    if credential.kind != CredentialType.BASIC:
        raise Invalid("a leaf has no certificate")
    _verify(credential.content, signature_key)


def account_key_number(credential: Credential) -> int:
    """Return the number of the account key behind a leaf, of a credential that was checked before."""
    return int.from_bytes(credential.content[33:37])


def _validate_replacement(old: LeafNode, new: LeafNode) -> None:
    if account_of(old.credential) != account_of(new.credential):
        raise Invalid("a leaf changes its account")
    if account_key_number(new.credential) < account_key_number(old.credential):
        raise Invalid("a leaf goes back to an account key that was replaced")


MEMBERS: Final = Policy(
    validate_credential=_validate_credential,
    validate_replacement=_validate_replacement,
    identity_of=lambda leaf: account_of(leaf.credential),
    public_handshakes=False,
    external_commits=False,
)
"""What the group checks for us of every leaf and message."""


@lru_cache(maxsize=256)
def _info(data: bytes) -> ConversationInfo:
    return parse_conversation_info(data)


def info_in(extensions: Extensions) -> ConversationInfo:
    """Return the description out of GroupContext extensions; raise `Invalid` or `Malformed`."""
    found = {extension.kind: extension.data for extension in extensions}
    if set(found) != {CONVERSATION_EXTENSION, ExtensionType.REQUIRED_CAPABILITIES}:
        raise Invalid("a group has other extensions than a conversation")
    if found[ExtensionType.REQUIRED_CAPABILITIES] != _REQUIRED.encode():
        raise Invalid("a group requires something else than a conversation")
    return _info(found[CONVERSATION_EXTENSION])


def info_of(group: Group) -> ConversationInfo:
    """Return the description of a group that is a conversation of ours."""
    return info_in(group.context.extensions)


def extensions_of(info: ConversationInfo) -> Extensions:
    """Return the GroupContext extensions of a conversation."""
    return (
        Extension(kind=ExtensionType.REQUIRED_CAPABILITIES, data=_REQUIRED.encode()),
        Extension(kind=CONVERSATION_EXTENSION, data=info.encode()),
    )


def accounts_of(group: Group) -> dict[AccountId, tuple[int, ...]]:
    """Return the members and their leaves; loads the tree."""
    leaves: dict[AccountId, tuple[int, ...]] = {}
    for member in group.members():
        account = account_of(member.credential)
        leaves[account] = (*leaves.get(account, ()), member.leaf_index)
    return leaves


def is_admin(group: Group, account_id: AccountId) -> bool:
    """Tell whether a member may change the group; loads the tree only where no rule is simpler."""
    info = info_of(group)
    return account_id in info.admins or not any(admin in accounts_of(group) for admin in info.admins)


def check_member_kinds(group: Group) -> None:
    """Check a group that a Welcome leads into: id, description, size, and whom its kind admits."""
    if len(group.group_id) != GROUP_ID_SIZE:
        # An id as long as an account's would put the group into the chat with that person.
        raise Invalid("a group's id has a wrong size")
    info = info_of(group)
    accounts = accounts_of(group)
    if sum(map(len, accounts.values())) > ROOM_DEVICES_MAX:
        raise Invalid("a group has too many members")
    if info.kind is not ConversationKind.GROUP and not accounts.keys() <= set(info.admins):
        raise Invalid("somebody is in a conversation of two who is neither")


def check_commit(group: Group, sender: int, effects: CommitEffects) -> None:
    """Raise `Invalid` (or `Malformed`) for a commit to `group` by leaf `sender` that breaks a rule."""
    if effects.external_join or effects.reinit is not None or effects.psks or effects.updated:
        raise Invalid("a commit does what conversations do not")
    for proposal, author in effects.proposals:
        foreign = author.leaf_index != sender and not isinstance(proposal, SelfRemove)
        if foreign or isinstance(proposal, Update):
            raise Invalid("a commit takes up a proposal that may not come by itself")
    _check_size(group, effects)
    info = info_of(group)
    actor = account_of(group.credential(sender))

    @lru_cache(maxsize=1)
    def admin() -> bool:
        return is_admin(group, actor)

    _check_members(info, actor, admin, effects, group=group)
    if effects.path_leaf is not None:
        new = effects.path_leaf.new
        if account_of(new.credential) != actor:
            raise Invalid("a leaf changes its account")
    if effects.extensions is not None:
        _check_info(info, info_in(effects.extensions), admin)


def _check_size(group: Group, effects: CommitEffects) -> None:
    if len(effects.added) > ADDS_PER_COMMIT_MAX:
        raise Invalid("a commit adds too many at once")
    if effects.added:
        size = len(group.members()) + len(effects.added) - len(effects.removed)
        if size > ROOM_DEVICES_MAX:
            raise Invalid("a group would have too many members")


def _check_members(
    info: ConversationInfo,
    actor: AccountId,
    admin: Callable[[], bool],
    effects: CommitEffects,
    *,
    group: Group,
) -> None:
    """Check who comes and goes; a lost device is taken out and in again by whoever hears it knock.

    Its KeyPackage must be made for that: everybody who knows an inbox can take one of the ordinary kind, and
    with it anybody could throw a device out.
    """
    out = {_identity(removed.leaf_node) for removed in effects.removed}
    back = out & {
        _identity(added.key_package.leaf_node)
        for added in effects.added
        if leads_back(added.key_package, group.group_id)
    }
    for removed in effects.removed:
        account, _ = identity = _identity(removed.leaf_node)
        if removed.by_itself or account == actor or identity in back:
            continue
        if info.kind is not ConversationKind.GROUP or not admin():
            raise Invalid("somebody removes a member who may not")
    for added in effects.added:
        account, _ = identity = _identity(added.key_package.leaf_node)
        if identity in back:
            continue
        if info.kind is not ConversationKind.GROUP:
            if account not in info.admins:
                raise Invalid("a conversation takes nobody else")
        elif account != actor and not admin():
            raise Invalid("somebody adds a member who may not")
        _check_account_key(group, added.key_package.leaf_node.credential)


def _check_account_key(group: Group, added: Credential) -> None:
    account = account_of(added)
    own = (one.credential for one in group.members() if account_of(one.credential) == account)
    if any(account_key_number(one) > account_key_number(added) for one in own):
        raise Invalid("somebody comes in under an account key that was replaced")


def _identity(leaf: LeafNode) -> tuple[AccountId, bytes]:
    return account_of(leaf.credential), leaf.signature_key


def _check_info(old: ConversationInfo, new: ConversationInfo, admin: Callable[[], bool]) -> None:
    if new.kind is not old.kind:
        raise Invalid("a conversation changes its kind")
    if new.admins != old.admins and old.kind is not ConversationKind.GROUP:
        raise Invalid("a conversation of two changes its accounts")
    before, after = old.places[0], new.places[0]
    if (after.relay_id, after.log_id) != (before.relay_id, before.log_id):
        # Nobody follows a conversation to another log yet; whoever is taken in there would be alone.
        raise Invalid("a conversation moves to another log")
    same = (
        new.title == old.title
        and new.admins == old.admins
        and new.door_secret == old.door_secret
        and new.places == old.places
        and new.message_expiry_s == old.message_expiry_s
    )
    if not same and not admin():
        raise Invalid("somebody changes a conversation who may not")
