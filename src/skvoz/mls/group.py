"""A group as one member sees it: an immutable value; every step returns the next one.

- start: `Group.create`, `Group.join`, `Group.external_join`, `Group.restore`
- speak: `protect`, `propose`, `propose_update`, `stage_commit`
- hear: `receive`
- know: `epoch`, `members()`, `export`, `epoch_authenticator`, `group_info`, … (in `group_facts`)
- keep: `snapshot`; save a group before letting out what it made

Long, because it is the one value that callers hold; what it does is done by the modules that it imports.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict, Invalid, Malformed, PeerError
from skvoz.base.ports import Randomness
from skvoz.codec import Reader, opaque, uint8, vector
from skvoz.crypto.ports import KeyPair
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.commit_creation import (
    CommitWishes,
    CreatedCommit,
    create_commit,
    create_own_update,
)
from skvoz.mls.commit_processing import NO_PSKS, OwnUpdate, process_commit
from skvoz.mls.creation import create_epoch
from skvoz.mls.epoch import EpochState, OwnSignatureKey
from skvoz.mls.framing import ContentType, WireFormat
from skvoz.mls.group_facts import GroupFacts
from skvoz.mls.joining import join_externally, open_welcome
from skvoz.mls.key_packages import KeyPackageBundle, as_credential, default_capabilities
from skvoz.mls.key_schedule import KeySchedule
from skvoz.mls.message import encode_message, parse_group_info, parse_welcome
from skvoz.mls.nodes import Capabilities, Credential, Extensions, Lifetime
from skvoz.mls.outcomes import (
    ApplicationMessage,
    Duplicate,
    ExternalJoin,
    PendingCommit,
    ProposalStored,
    Received,
    StagedCommit,
    StagedJoin,
)
from skvoz.mls.policy import OPEN, Policy
from skvoz.mls.pre_shared_keys import PreSharedKeys
from skvoz.mls.proposal_list import SentProposal, check_proposal
from skvoz.mls.proposals import Commit, Proposal, SelfRemove, Update
from skvoz.mls.receiving import Opened, open_message
from skvoz.mls.secret_tree import SecretTree
from skvoz.mls.sending import seal_application, seal_handshake, sign_proposal
from skvoz.mls.snapshot import Snapshot
from skvoz.mls.stored_proposals import choose_stored
from skvoz.mls.tree_kem import LeafTemplate
from skvoz.mls.welcome import Welcome

PROPOSALS_STORED_MAX: Final = 1024
"""Proposals kept in one epoch: more are refused, so that nobody can fill a device."""
_STORAGE_VERSION: Final = 1


class Group(GroupFacts, frozen=True, kw_only=True):
    """One member's view of a group in one epoch."""

    secret_tree: SecretTree
    proposals: tuple[SentProposal, ...] = ()
    own_updates: tuple[OwnUpdate, ...] = ()

    @staticmethod
    def create(
        suite: CipherSuite,
        group_id: bytes,
        credential: Credential | bytes,
        signature_key_pair: KeyPair,
        *,
        lifetime: Lifetime,
        randomness: Randomness,
        extensions: Extensions = (),
        leaf_extensions: Extensions = (),
        capabilities: Capabilities | None = None,
    ) -> "Group":
        """Start a group of one (RFC 9420 §11); `extensions` are the GroupContext's.

        Raises `Invalid` where the creator itself does not support what the group needs.
        """
        state, schedule = create_epoch(
            suite,
            group_id,
            OwnSignatureKey(signature_key_pair.private_key, signature_key_pair.public_key),
            credential=as_credential(credential),
            capabilities=capabilities or default_capabilities(suite),
            lifetime=lifetime,
            extensions=extensions,
            leaf_extensions=leaf_extensions,
            randomness=randomness,
        )
        return _enter(state, schedule)

    @staticmethod
    def join(
        welcome: bytes | Welcome,
        bundle: KeyPackageBundle,
        *,
        ratchet_tree: bytes | None = None,
        psks: PreSharedKeys = NO_PSKS,
        policy: Policy = OPEN,
        predecessor: "Group | None" = None,
    ) -> StagedJoin:
        """Join by a Welcome (bytes: an `MLSMessage`); `predecessor` is the group that this one must continue.

        Raises `Invalid`, `Malformed` or `DecryptFailed`.
        """
        joined = open_welcome(
            parse_welcome(welcome) if isinstance(welcome, bytes) else welcome,
            bundle,
            ratchet_tree=ratchet_tree,
            psks=psks,
            policy=policy,
            predecessor=None if predecessor is None else predecessor.state,
        )
        signer = joined.group_info.signer
        return StagedJoin(
            group=_enter(joined.state, joined.schedule),
            sender=signer,
            sender_credential=joined.state.members.signatory(signer).credential,
            key_package_ref=joined.reference,
            psks=joined.psks,
            group_info=joined.group_info,
        )

    @staticmethod
    def external_join(
        suite: CipherSuite,
        group_info: bytes,
        credential: Credential | bytes,
        signature_key_pair: KeyPair,
        *,
        randomness: Randomness,
        ratchet_tree: bytes | None = None,
        proposals: Sequence[Proposal] = (),
        psks: PreSharedKeys = NO_PSKS,
        capabilities: Capabilities | None = None,
        leaf_extensions: Extensions = (),
        authenticated_data: bytes = b"",
        policy: Policy = OPEN,
    ) -> ExternalJoin:
        """Join by an external commit; `proposals` may remove one's own old leaf and name pre-shared keys.

        Raises `Invalid`, `Malformed` or `DecryptFailed`.
        """
        template = LeafTemplate(
            signature_key=signature_key_pair.public_key,
            credential=as_credential(credential),
            capabilities=capabilities or default_capabilities(suite),
            extensions=leaf_extensions,
        )
        wishes = CommitWishes(
            by_value=proposals,
            psks=psks,
            authenticated_data=authenticated_data,
            wire_format=WireFormat.PUBLIC_MESSAGE,
            policy=policy,
        )
        signature_key = OwnSignatureKey(signature_key_pair.private_key, signature_key_pair.public_key)
        created, message = join_externally(
            suite,
            parse_group_info(group_info),
            wishes,
            template,
            signature_key,
            ratchet_tree=ratchet_tree,
            randomness=randomness,
        )
        return ExternalJoin(
            commit=encode_message(message),
            effects=created.effects,
            group=_enter(created.state, created.schedule),
        )

    # Speaking

    def protect(
        self,
        data: bytes,
        *,
        randomness: Randomness,
        authenticated_data: bytes = b"",
        padding_size: int = 0,
        despite_proposals: bool = False,
    ) -> "tuple[Group, bytes]":
        """Encrypt application data into an `MLSMessage`; save the group returned before sending.

        Raises `Conflict` after the group's end, and while proposals wait: they are committed first
        (RFC 9420 §12.4), unless `despite_proposals`.
        """
        if self.state.reinit is not None:
            raise Conflict("this group has ended")
        if self.proposals and not despite_proposals:
            raise Conflict("proposals wait to be committed")
        moved, message = seal_application(
            self.state,
            self.secret_tree,
            data,
            authenticated_data=authenticated_data,
            padding_size=padding_size,
            randomness=randomness,
        )
        return self._with_secret_tree(moved), message

    def propose(
        self,
        proposal: Proposal,
        *,
        randomness: Randomness,
        authenticated_data: bytes = b"",
        padding_size: int = 0,
        public: bool = False,
        policy: Policy = OPEN,
        now_ms: int | None = None,
    ) -> "tuple[Group, bytes]":
        """Send a proposal by itself; the group returned keeps it, for who commits.

        An update is made by `propose_update`. After a SelfRemove this client can't commit in this epoch.
        Raises `Invalid`, `Conflict`.
        """
        if isinstance(proposal, Update):
            raise BadRequest("an update's keys are made by propose_update")
        return self._propose(
            proposal,
            randomness=randomness,
            authenticated_data=authenticated_data,
            padding_size=padding_size,
            public=public,
            policy=policy,
            now_ms=now_ms,
        )

    def propose_update(
        self,
        *,
        randomness: Randomness,
        template: LeafTemplate | None = None,
        signature_key_pair: KeyPair | None = None,
        authenticated_data: bytes = b"",
        public: bool = False,
        policy: Policy = OPEN,
    ) -> "tuple[Group, bytes]":
        """Propose fresh keys for one's own leaf; the group returned keeps the private keys."""
        leaf, update = create_own_update(
            self.state, randomness, template=template, signature_key=_own_key(signature_key_pair)
        )
        group, message = self._propose(
            Update(leaf),
            randomness=randomness,
            authenticated_data=authenticated_data,
            padding_size=0,
            public=public,
            policy=policy,
            now_ms=None,
        )
        return replace(group, own_updates=(*self.own_updates, update)), message

    def stage_commit(
        self,
        *,
        randomness: Randomness,
        proposals: Sequence[Proposal] = (),
        include_stored: bool = True,
        path: bool | None = None,
        template: LeafTemplate | None = None,
        signature_key_pair: KeyPair | None = None,
        psks: PreSharedKeys = NO_PSKS,
        welcome_with_tree: bool = True,
        group_info_extensions: Extensions = (),
        authenticated_data: bytes = b"",
        padding_size: int = 0,
        public: bool = False,
        policy: Policy = OPEN,
        now_ms: int | None = None,
    ) -> PendingCommit:
        """Make a commit without following it yet: see `PendingCommit` for what to save and when.

        `proposals` go by value, stored ones by reference; SelfRemoves always (with `include_stored` False,
        nothing else). `path` None: fresh keys only where needed. `now_ms` refuses expired KeyPackages.
        Raises `Invalid` (a proposal breaks a rule), `BadRequest`, `Conflict` (the group has ended, or this
        client has asked to leave).
        """
        if any(self._is_own_leave(sent) for sent in self.proposals):
            raise Conflict("who leaves lets somebody else commit")
        wishes = CommitWishes(
            by_value=proposals,
            path=path,
            template=template,
            signature_key=_own_key(signature_key_pair),
            psks=psks,
            tree_in_welcome=welcome_with_tree,
            group_info_extensions=group_info_extensions,
            authenticated_data=authenticated_data,
            wire_format=WireFormat.PUBLIC_MESSAGE if public else WireFormat.PRIVATE_MESSAGE,
            policy=policy,
            now_ms=now_ms,
        )
        created = self._create(wishes, randomness, include_stored=include_stored)
        moved, message = seal_handshake(
            self.state,
            self.secret_tree,
            created.authenticated,
            padding_size=padding_size,
            randomness=randomness,
        )
        return PendingCommit(
            commit=message,
            welcome=None if created.welcome is None else encode_message(created.welcome),
            effects=created.effects,
            group=self._with_secret_tree(moved),
            next=_enter(created.state, created.schedule),
        )

    # Hearing

    def receive(
        self,
        message: bytes,
        *,
        policy: Policy = OPEN,
        psks: PreSharedKeys = NO_PSKS,
        now_ms: int | None = None,
    ) -> Received:
        """Take an `MLSMessage` of this group. This group never changes; the answer holds the next one.

        `now_ms`, where given, refuses proposals to add expired KeyPackages; commits never depend on it.
        Raises `Malformed`, `Invalid` or `DecryptFailed`.
        """
        opened = open_message(self.state, self.secret_tree, message, policy)
        if not isinstance(opened, Opened):
            return opened
        content = opened.authenticated.content
        body = content.body
        if isinstance(body, Commit):
            return self._receive_commit(opened, body, policy, psks)
        if isinstance(body, bytes):
            return ApplicationMessage(
                sender=content.sender.index,
                credential=opened.credential,
                authenticated_data=content.authenticated_data,
                data=body,
                group=self._with_secret_tree(opened.secret_tree),
            )
        reference = opened.authenticated.reference(self.suite)
        if any(sent.reference == reference for sent in self.proposals):
            return Duplicate(sender=content.sender.leaf_index, content_type=ContentType.PROPOSAL)
        sent = SentProposal(proposal=body, sender=content.sender, reference=reference)
        check_proposal(self.state, sent, policy, now_ms=now_ms)
        return ProposalStored(
            sender=content.sender,
            proposal=body,
            reference=reference,
            authenticated_data=content.authenticated_data,
            group=_with_proposal(self._with_secret_tree(opened.secret_tree), sent),
        )

    # Keeping

    def snapshot(self, since: "Group | None" = None) -> Snapshot:
        """Return the parts to store; after a step `since` the earlier group only those that have changed."""
        same_epoch = since is not None and since.state.context_bytes == self.state.context_bytes
        base = since if same_epoch else None
        same_members = base is not None and base.state.members is self.state.members
        same_state = (
            base is not None
            and base.state is self.state
            and base.proposals is self.proposals
            and base.own_updates is self.own_updates
        )
        same_secrets = base is not None and base.secret_tree.inner is self.secret_tree.inner
        moved = self.secret_tree.moved_since(None if base is None else base.secret_tree)
        return Snapshot(
            tree=None if same_members else self.state.members.tree.encode(),
            members=None if same_members else self.state.members.encode(),
            epoch=None if same_state else self._epoch_part(),
            secrets=None if same_secrets else self.secret_tree.tree_part(),
            ratchets={leaf: self.secret_tree.ratchet_part(leaf) for leaf in moved},
            epoch_changed=base is None,
        )

    @staticmethod
    def restore(
        *,
        members: bytes,
        epoch: bytes,
        secrets: bytes,
        ratchets: Mapping[int, bytes],
        load_tree: Callable[[], bytes],
        suite: CipherSuite | None = None,
    ) -> "Group":
        """Put a stored group together; application messages never call `load_tree`.

        `ratchets` may be any mapping, and is parsed leaf by leaf when needed. `suite` stands in for the suite
        of that number, as simulations need. Raises `Malformed`.
        """
        reader = Reader(epoch)
        if reader.uint8() != _STORAGE_VERSION:
            raise Malformed("a stored group has an unknown version")
        inner = Reader(reader.opaque())
        state = EpochState.parse(inner, members, load_tree, suite)
        inner.finish()
        group = Group(
            state=state,
            secret_tree=SecretTree.restore(state.suite, secrets, ratchets),
            proposals=reader.vector(SentProposal.parse),
            own_updates=reader.vector(OwnUpdate.parse),
        )
        reader.finish()
        return group

    def _epoch_part(self) -> bytes:
        proposals = vector(sent.encode() for sent in self.proposals)
        updates = vector(update.encode() for update in self.own_updates)
        return uint8(_STORAGE_VERSION) + opaque(self.state.encode()) + proposals + updates

    def _with_secret_tree(self, secret_tree: SecretTree) -> "Group":
        return Group(
            state=self.state,
            secret_tree=secret_tree,
            proposals=self.proposals,
            own_updates=self.own_updates,
        )

    def _is_own_leave(self, sent: SentProposal) -> bool:
        return isinstance(sent.proposal, SelfRemove) and sent.sender.leaf_index == self.own_leaf_index

    def _propose(
        self,
        proposal: Proposal,
        *,
        randomness: Randomness,
        authenticated_data: bytes,
        padding_size: int,
        public: bool,
        policy: Policy,
        now_ms: int | None,
    ) -> "tuple[Group, bytes]":
        if self.state.reinit is not None:
            raise Conflict("this group has ended")
        wire_format = WireFormat.PUBLIC_MESSAGE if public else WireFormat.PRIVATE_MESSAGE
        signed = sign_proposal(self.state, proposal, authenticated_data, wire_format)
        sent = SentProposal(
            proposal=proposal, sender=signed.content.sender, reference=signed.reference(self.suite)
        )
        check_proposal(self.state, sent, policy, now_ms=now_ms)
        moved, message = seal_handshake(
            self.state, self.secret_tree, signed, padding_size=padding_size, randomness=randomness
        )
        return _with_proposal(self._with_secret_tree(moved), sent), message

    def _create(self, wishes: CommitWishes, randomness: Randomness, *, include_stored: bool) -> CreatedCommit:
        """Create the commit; stored proposals that don't fit the whole never stop it."""

        def create(*, all_kinds: bool) -> CreatedCommit:
            stored = choose_stored(
                self.state,
                self.proposals,
                wishes.by_value,
                all_kinds=all_kinds,
                policy=wishes.policy,
                now_ms=wishes.now_ms,
            )
            return create_commit(self.state, replace(wishes, stored=stored), randomness)

        if include_stored and self.proposals:
            with suppress(PeerError):
                return create(all_kinds=True)
        return create(all_kinds=False)

    def _receive_commit(
        self, opened: Opened, commit: Commit, policy: Policy, psks: PreSharedKeys
    ) -> StagedCommit:
        processed = process_commit(
            self.state,
            opened.authenticated,
            commit,
            stored=self.proposals,
            own_updates=self.own_updates,
            policy=policy,
            psks=psks,
        )
        follows = None
        if processed.state is not None and processed.schedule is not None:
            follows = _enter(processed.state, processed.schedule)
        return StagedCommit(
            sender=processed.sender,
            effects=processed.effects,
            authenticated_data=opened.authenticated.content.authenticated_data,
            group=self._with_secret_tree(opened.secret_tree),
            next=follows,
        )


def _enter(state: EpochState, schedule: KeySchedule) -> Group:
    """Return the group at the start of an epoch."""
    width = state.members.tree.leaf_count
    return Group(state=state, secret_tree=SecretTree.start(state.suite, schedule.encryption_secret, width))


def _with_proposal(group: Group, sent: SentProposal) -> Group:
    if len(group.proposals) >= PROPOSALS_STORED_MAX:
        raise Invalid("too many proposals wait in this epoch")
    return replace(group, proposals=(*group.proposals, sent))


def _own_key(pair: KeyPair | None) -> OwnSignatureKey | None:
    return None if pair is None else OwnSignatureKey(pair.private_key, pair.public_key)
