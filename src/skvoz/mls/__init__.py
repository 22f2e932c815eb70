"""The Messaging Layer Security protocol, RFC 9420, whole, without X.509.

The door is `Group`: an immutable value, with every step returning the next one. Time, chance, and
judgement about credentials (`Policy`) come in as arguments.

What is sent
- `nodes`: leaves, parents, KeyPackages      - `proposals`: proposals and commits
- `framing`, `public_message`, `private_message`, `welcome`, `message`: the wrappers around them

The tree
- `tree_math`, `ratchet_tree`, `census`, `tree_kem`, `tree_validation`

Secrets
- `group_context`, `transcript`, `pre_shared_keys`, `key_schedule`: from epoch to epoch
- `secret_tree`: from an epoch to single messages

A member's state
- `members`, `epoch`, `key_packages`, `snapshot`: what is known and kept
- `proposal_list`, `effects`, `stored_proposals`, `policy`: what may change, and what it changes
- `transition`, `commit_creation`, `commit_processing`: into the next epoch
- `creation`, `joining`, `external_proposals`, `continuation`: into a group, from outside, from another group
- `sending`, `receiving`, `outcomes`, `group_facts`, `group`: the door
"""

from skvoz.mls.commit_processing import PathUnreadable
from skvoz.mls.continuation import branch, reinitialise
from skvoz.mls.effects import AddedMember, ChangedLeaf, CommitEffects, RemovedMember
from skvoz.mls.external_proposals import propose_from_outside, propose_to_join
from skvoz.mls.framing import ContentType, Sender, SenderType
from skvoz.mls.group import Group
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_packages import KeyPackageBundle, default_capabilities
from skvoz.mls.members import ExternalSender, Member, encode_external_senders
from skvoz.mls.message import (
    encode_message,
    parse_group_info,
    parse_key_package,
    parse_message,
    parse_welcome,
)
from skvoz.mls.nodes import (
    Capabilities,
    Credential,
    CredentialType,
    Extension,
    Extensions,
    ExtensionType,
    KeyPackage,
    LeafNode,
    Lifetime,
)
from skvoz.mls.outcomes import (
    ApplicationMessage,
    Duplicate,
    ExternalJoin,
    Future,
    OwnEcho,
    PendingCommit,
    ProposalStored,
    Received,
    StagedCommit,
    StagedJoin,
    Stale,
)
from skvoz.mls.policy import OPEN, Policy
from skvoz.mls.pre_shared_keys import PreSharedKeyId, PreSharedKeys, PreSharedKeyType, ResumptionUsage
from skvoz.mls.proposals import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalType,
    ReInit,
    Remove,
    SelfRemove,
    Update,
)
from skvoz.mls.snapshot import Snapshot
from skvoz.mls.tree_kem import LeafTemplate
from skvoz.mls.tree_validation import RequiredCapabilities
from skvoz.mls.welcome import GroupInfo, Welcome

__all__ = [
    "OPEN",
    "Add",
    "AddedMember",
    "ApplicationMessage",
    "Capabilities",
    "ChangedLeaf",
    "CommitEffects",
    "ContentType",
    "Credential",
    "CredentialType",
    "Duplicate",
    "Extension",
    "ExtensionType",
    "Extensions",
    "ExternalInit",
    "ExternalJoin",
    "ExternalSender",
    "Future",
    "Group",
    "GroupContext",
    "GroupContextExtensions",
    "GroupInfo",
    "KeyPackage",
    "KeyPackageBundle",
    "LeafNode",
    "LeafTemplate",
    "Lifetime",
    "Member",
    "OwnEcho",
    "PathUnreadable",
    "PendingCommit",
    "Policy",
    "PreSharedKey",
    "PreSharedKeyId",
    "PreSharedKeyType",
    "PreSharedKeys",
    "Proposal",
    "ProposalStored",
    "ProposalType",
    "ReInit",
    "Received",
    "Remove",
    "RemovedMember",
    "RequiredCapabilities",
    "ResumptionUsage",
    "SelfRemove",
    "Sender",
    "SenderType",
    "Snapshot",
    "StagedCommit",
    "StagedJoin",
    "Stale",
    "Update",
    "Welcome",
    "branch",
    "default_capabilities",
    "encode_external_senders",
    "encode_message",
    "parse_group_info",
    "parse_key_package",
    "parse_message",
    "parse_welcome",
    "propose_from_outside",
    "propose_to_join",
    "reinitialise",
]
