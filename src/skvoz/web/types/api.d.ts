// Made by `./dev describe` from the types of the API: change those.

/** This home has a person now. */
export interface AccountCreated {
  account_id: string;
}

/** The person whose home this is, and where the relay is that they can be written to at. */
export interface AccountView {
  account_id: string;
  name: string;
  relay_addresses: string[];
  phrase_confirmed: boolean;
  reports_enabled: boolean;
  created_ms: number;
  lock_after_minutes: number;
  lan_enabled: boolean;
}

/** What a command answers; the fields that apply are set. */
export interface Answer {
  account_id: string | null;
  chat_id: string | null;
  message_id: string | null;
  log_id: string | null;
  link: string | null;
  file_id: string | null;
  bot_id: string | null;
  new_contents: number | null;
  known_contents: number | null;
}

/** Somebody who asks to be let in; the name is their own claim. */
export interface AskerView {
  account_id: string;
  name: string;
  state: "accepted" | "blocked" | "known" | "request" | null;
  asked_ms: number;
}

/** The groups of ours as an admin in which something waits. */
export interface AttentionListView {
  groups: AttentionView[];
}

/** How much waits for the admins of one group: messages that are reported, and people who ask to join. */
export interface AttentionView {
  chat_id: string;
  complaints: number;
  askers: number;
}

/** Programs that have a token, by name. */
export interface BotListView {
  bots: BotView[];
}

/** What the caller is and may do, and the account that it acts as. */
export interface BotSelfView {
  name: string;
  can_write: boolean;
  chats: string[] | null;
  account_id: string;
  account_name: string;
  version: string;
  last_event: number;
}

/** A program that has a token; `chats` are those that it reaches, None for all. */
export interface BotView {
  bot_id: string;
  name: string;
  can_write: boolean;
  chats: string[] | null;
  created_ms: number;
  used_ms: number | null;
}

/** Title, members, roles, expiry, read mark or state changed; `what` names which. */
export interface ChatChanged {
  chat_id: string;
  group_id: string;
  what: "accepted" | "admin" | "archived" | "deleted" | "expiry" | "found" | "frozen" | "gone" | "leaving" | "left" | "lost" | "member_added" | "member_removed" | "muted" | "not_admin" | "pinned" | "read" | "removed" | "title";
  actor: string | null;
  subject: string | null;
}

/** A conversation is there: made here, or joined by a Welcome. */
export interface ChatCreated {
  chat_id: string;
  group_id: string;
  is_request: boolean;
}

/** Chats, the latest first; `next_cursor` goes on where the page ends, None at the end. */
export interface ChatListView {
  chats: ChatView[];
  next_cursor: string | null;
}

/** What the files of a chat take here. */
export interface ChatStorageView {
  chat_id: string;
  files: number;
  size: number;
}

/** A chat in the list; a direct one's `chat_id` is the other person's account id. */
export interface ChatView {
  chat_id: string;
  group_id: string;
  kind: "direct" | "group" | "self";
  state: "active" | "creating" | "frozen" | "gone" | "held" | "leaving" | "left" | "lost" | "removed";
  title: string;
  is_request: boolean;
  alone: boolean;
  hidden: boolean;
  unread: number;
  read_sequence: number;
  muted: boolean;
  pinned: boolean;
  archived: boolean;
  draft: string;
  draft_reply_to: string | null;
  gaps: number;
  expiry_s: number | null;
  last_activity_ms: number;
  last_message: MessageView | null;
}

/** The latest checkup, as far as it has come: `done` of `total` steps. */
export interface CheckupView {
  state: "done" | "none" | "running" | "stopped";
  done: number;
  total: number;
  relays: string[];
  ways: TriedWayView[];
  findings: FindingView[];
  steps: StepView[];
  not_tried: StepView[];
  seen: SeenPlaceView[];
}

/** What a scanned code says: `own` is the one shown here, `unknown` is none for comparing. */
export interface ComparedView {
  outcome: "different" | "own" | "same" | "unknown";
}

/** What one member says against a message; `member`: whether they are in the group now. */
export interface ComplaintView {
  account_id: string;
  name: string;
  member: boolean;
  reason: string;
  note: string;
  quote: string;
  received_ms: number;
}

/** A person is new here, or their name, state or key changed. */
export interface ContactChanged {
  account_id: string;
  key_changed: boolean;
}

/** People by name. */
export interface ContactListView {
  contacts: ContactView[];
}

/** A person; `name` is what to show. */
export interface ContactView {
  account_id: string;
  name: string;
  card_name: string;
  state: "accepted" | "blocked" | "known" | "request";
  verified: boolean;
  key_changed: boolean;
}

/** It is done; there is nothing to say. */
export interface DoneView {
}

/** What was begun in a chat. */
export interface DraftView {
  chat_id: string;
  text: string;
}

/** A drop's key, with the password of its storage in it. */
export interface DropKeyView {
  text: string;
}

/** Dead drops that this home can reach. */
export interface DropListView {
  drops: DropView[];
}

/** A dead drop; `place` says where it is and nothing of who is let in there. */
export interface DropView {
  relay_id: string;
  address: string;
  place: string;
  bytes_today: number;
  bytes_a_day: number;
}

/** Events in order; ask again after the last one's sequence. */
export interface EventPageView {
  events: EventView[];
  last_sequence: number;
}

/** An event of the durable log. */
export interface EventView {
  sequence: number;
  kind: string;
  data: unknown;
  created_ms: number;
}

/** A path at the page's address that gives a file's bytes without a token, for some hours. */
export interface FileAddressView {
  path: string;
}

/** A file went further on its way, or came to a stop; `what` names how. */
export interface FileChanged {
  chat_id: string;
  message_id: string | null;
  file_id: string;
  what: "attached" | "failed" | "forgotten" | "here" | "paused" | "resumed" | "uploaded";
}

/** Files in their order. */
export interface FileListView {
  files: FileView[];
}

/** How far a file has come; bytes as they travel, padding included. */
export interface FileProgressView {
  file_id: string;
  done: number;
  total: number;
}

/** A file that was put into the home, and what to show of it before it is fetched. */
export interface FileToSend {
  file_id: string;
  description: string;
  thumbnail: string;
  thumbnail_type: string;
  width: number;
  height: number;
  duration_ms: number;
  waveform: string;
}

/** A file of a message; sizes in bytes and pixels, 0 or empty: not known. */
export interface FileView {
  file_id: string;
  state: "awaited" | "downloading" | "here" | "remote" | "staged" | "uploading";
  paused: boolean;
  name: string;
  media_type: string;
  size: number;
  description: string;
  thumbnail: string;
  thumbnail_type: string;
  width: number;
  height: number;
  duration_ms: number;
  waveform: string;
  failure: string;
}

/** One thing that was found, of a relay by its number from 1, or of the network as a whole (0). */
export interface FindingView {
  code: string;
  relay: number;
  numbers: Record<string, number>;
  text: string;
}

/** All folders, in their person's order. */
export interface FolderListView {
  folders: FolderView[];
}

/** Chats under a name; some of them may be gone. */
export interface FolderView {
  name: string;
  chats: string[];
}

/** A folder as its person wants it. */
export interface FolderWish {
  name: string;
  chats: string[];
}

/** The folders of chats are others now. */
export interface FoldersChanged {
}

/** A page of messages that a search found, the latest first; `next_before` goes on, None at the end. */
export interface FoundPageView {
  messages: MessageView[];
  next_before: number | null;
}

/** The messages that may be missing in a chat, in the order in which that was noticed. */
export interface GapListView {
  gaps: GapView[];
}

/** A message may be missing in a chat, or (`filled`) the missing one came. */
export interface GapNoticed {
  chat_id: string;
  message_id: string;
  filled: boolean;
}

/** A message that somebody in a chat had seen and that never came here. */
export interface GapView {
  message_id: string;
  noticed_ms: number;
}

/** Something waits for a group's admins, or does no longer; `what` names what. */
export interface GroupAttention {
  chat_id: string;
  what: "asker" | "complaint" | "link";
}

/** One's own link into a group; empty where there is none. It works once `ready`. */
export interface GroupLinkView {
  link: string;
  ready: boolean;
  askers: AskerView[];
}

/** The homes beside this one, and itself. */
export interface HomeListView {
  homes: HomeView[];
}

/** A home of this machine, by its folder's name; `own` is the one that answers. */
export interface HomeView {
  name: string;
  own: boolean;
}

/** A group's link that was opened here came further; `what` names how, `chat_id` is where one is in. */
export interface JoiningChanged {
  log_id: string;
  what: "asked" | "ended" | "failed" | "joined" | "shown";
  reason: string;
  chat_id: string;
}

/** Links of groups that were opened here, the latest first. */
export interface JoiningListView {
  joinings: JoiningView[];
}

/** A group's link that was opened here: what its maker says of the group, and how far one has come. */
export interface JoiningView {
  log_id: string;
  state: "asked" | "asking" | "failed" | "opening" | "shown";
  title: string;
  members: number;
  admin_name: string;
  asked_ms: number | null;
  failure: string;
}

/** A link exists; it works once the relay holds its inbox (`ready`). */
export interface LinkCreated {
  log_id: string;
  ready: boolean;
}

/** A link that we opened led nowhere. */
export interface LinkFailed {
  log_id: string;
  reason: "denied" | "expired" | "invalid" | "used";
}

/** Links that were made and not revoked. */
export interface LinkListView {
  links: LinkView[];
}

/** Somebody came through a link of ours. */
export interface LinkUsed {
  log_id: string;
  account_id: string;
}

/** A link of ours; `link` may be shown as a QR code. */
export interface LinkView {
  log_id: string;
  link: string;
  lasting: boolean;
  ready: boolean;
  used: boolean;
  created_ms: number;
}

/** A place: coordinates in 1e-7 degrees (WGS 84, north and east are positive), and what is there. */
export interface LocationView {
  latitude_e7: number;
  longitude_e7: number;
  label: string;
}

/** All members of a chat. */
export interface MemberListView {
  members: MemberView[];
}

/** A member of a chat; of oneself (`own`) there is no `state`. */
export interface MemberView {
  account_id: string;
  name: string;
  admin: boolean;
  own: boolean;
  state: "accepted" | "blocked" | "known" | "request" | null;
  verified: boolean;
}

/** Characters (Unicode code points) `start … start + length` of a text name this person. */
export interface MentionSpan {
  account_id: string;
  start: number;
  length: number;
}

/** Characters (Unicode code points) `start … start + length` of the text name a person. */
export interface MentionView {
  account_id: string;
  start: number;
  length: number;
}

/** Edited, deleted, expired, reacted to, voted on, pinned or not, or come further; `what` names which. */
export interface MessageChanged {
  chat_id: string;
  message_id: string;
  what: "deleted" | "delivered" | "edited" | "expired" | "failed" | "pinned" | "reaction" | "read" | "sent" | "vote";
}

/** A page of messages, the latest first. */
export interface MessagePageView {
  messages: MessageView[];
  next_before: number | null;
  next_after: number | null;
}

/** A message of ours is stored and will go out. */
export interface MessageQueued {
  chat_id: string;
  message_id: string;
  sequence: number;
}

/** A message of somebody else's is stored. */
export interface MessageReceived {
  chat_id: string;
  message_id: string;
  sequence: number;
}

/** A message after edits and deletions; `sequence` orders messages in this home. */
export interface MessageView {
  message_id: string;
  chat_id: string;
  sequence: number;
  author: string;
  author_name: string;
  own: boolean;
  sent_ms: number;
  received_ms: number;
  state: "delivered" | "failed" | "queued" | "read" | "received" | "sent";
  text: string;
  unsupported: string;
  reply_to: string | null;
  quoted: QuotedView | null;
  mentions: MentionView[];
  reactions: ReactionView[];
  edited: boolean;
  deleted: boolean;
  expires_ms: number | null;
  failure: string;
  files: FileView[];
  forwarded: boolean;
  location: LocationView | null;
  poll: PollView | null;
  highlights: [number, number][];
}

/** The latest changes of a chat, the oldest first. */
export interface NoticeListView {
  notices: NoticeView[];
}

/** A change of a chat: `actor` made it, to `subject` where it is about a person. */
export interface NoticeView {
  sequence: number;
  what: "admin" | "expiry" | "member_added" | "member_left" | "member_removed" | "not_admin" | "title";
  actor_name: string;
  actor_own: boolean;
  subject_name: string;
  subject_own: boolean;
  title: string;
  expiry_s: number | null;
  noticed_ms: number;
}

/** An answer of a poll, and the names of those who chose it, empty ones for people without. */
export interface OptionVotesView {
  text: string;
  names: string[];
}

/** An address that opens the page in a browser: once, within a minute. */
export interface PageView {
  address: string;
}

/** The place that a text is, None where it is something else. */
export interface PastedView {
  location: LocationView | null;
}

/** The recovery phrase, 24 English words. */
export interface PhraseView {
  phrase: string;
}

/** A QR code: rows of `0` (light) and `1` (dark), without the quiet zone of four modules around it. */
export interface PictureView {
  rows: string[];
}

/** Pinned messages of a chat, the latest pin first. */
export interface PinListView {
  pins: PinView[];
}

/** A pinned message, and who pinned it. */
export interface PinView {
  message: MessageView;
  pinned_by: string;
  pinned_by_name: string;
}

/** An answer of a poll and who chose it. */
export interface PollOptionView {
  text: string;
  account_ids: string[];
}

/** A poll as far as votes have come; with `several`, a person may choose more than one answer. */
export interface PollView {
  question: string;
  options: PollOptionView[];
  several: boolean;
  closed: boolean;
  voters: number;
}

/** How far each file has come that moves now, or did until lately. */
export interface ProgressView {
  files: FileProgressView[];
}

/** The proxy that relays are reached through, without its password; no address means none. */
export interface ProxyView {
  address: string;
  name: string;
  allows_direct: boolean;
}

/** The beginning of a message that another one answers; `sequence` leads to it. */
export interface QuotedView {
  message_id: string;
  sequence: number;
  author_name: string;
  own: boolean;
  text: string;
  deleted: boolean;
}

/** An emoji and who put it there. */
export interface ReactionView {
  emoji: string;
  account_ids: string[];
}

/** What people reported about a message of ours, by name. */
export interface ReceiptListView {
  receipts: ReceiptView[];
  silent: MemberView[];
  reports: boolean;
}

/** What one person reported about a message of ours. */
export interface ReceiptView {
  account_id: string;
  name: string;
  delivered_ms: number | null;
  read_ms: number | null;
}

/** A relay to live at: its X-Wing key (1216 bytes) or the key's SHA-256, addresses, perhaps a ticket. */
export interface RelayAddress {
  addresses: string[];
  public_key: string;
  relay_id: string;
  ticket: string;
}

/** Where a relay is, as `account.create` wants it; `shown` is a host's name for people. */
export interface RelayAddressView {
  addresses: string[];
  relay_id: string;
  ticket: string;
  shown: string;
}

/** How it goes with one session to a relay. */
export interface RelayStatusView {
  relay_id: string;
  channel: string;
  address: string;
  state: "connected" | "connecting" | "waiting";
  problem: string;
}

/** Messages of a group that members complain about, in the order of the first complaint. */
export interface ReportedListView {
  messages: ReportedView[];
}

/** A message that members complain about; `sequence` and `text` are those of the message that is here. */
export interface ReportedView {
  message_id: string;
  sequence: number | null;
  text: string;
  deleted: boolean;
  author: string;
  author_name: string;
  author_member: boolean;
  complaints: ComplaintView[];
}

/** Something asked for could not be done after all; `chat_id` is empty where it was not about a chat. */
export interface RequestFailed {
  chat_id: string;
  reason: string;
}

/** 60 digits in groups of five, the same on both sides; `code` is for them to scan as a QR code. */
export interface SafetyNumberView {
  digits: string;
  code: string;
  verified: boolean;
}

/** What single questions were answered at one place where a way failed; null: it was not asked. */
export interface SeenPlaceView {
  relay: number;
  name: string | null;
  touches: string[];
  plain: string | null;
  browser: string | null;
  other: string | null;
  talk: string | null;
  page: string | null;
}

/** How the node is. */
export interface StatusView {
  version: string;
  has_account: boolean;
  relays: RelayStatusView[];
  suggested_relay: string;
  last_event: number;
  unsent: number;
  key_protection: string;
  store_problem: string;
  dropped: Record<string, number>;
  locked: boolean;
  lan_relays: number;
  lan_problem: string;
}

/** Something to do next, or something that was not tried. */
export interface StepView {
  code: string;
  text: string;
}

/** What a home takes on its disk, in bytes: its database, and the files that can be freed, by chat. */
export interface StorageView {
  database: number;
  free: number;
  files: number;
  size: number;
  chats: ChatStorageView[];
}

/** A file whose bytes are here; `file.forget` frees them. */
export interface StoredFileView {
  file_id: string;
  message_id: string;
  chat_id: string;
  name: string;
  size: number;
  created_ms: number;
}

/** A page of files, the largest first. */
export interface StoredFilesView {
  files: StoredFileView[];
}

/** Events above `after` will be told; `last_event` is the newest one there is. */
export interface SubscriptionView {
  after: number;
  last_event: number;
}

/** Everything up to this event was told, or is not the subscriber's to know. */
export interface ThroughView {
  sequence: number;
}

/** How one way to a relay did; `kbit_s` where it is a connection that stays open. */
export interface TriedWayView {
  relay: number;
  kind: string;
  way: string;
  direct: boolean;
  works: boolean;
  end: string;
  round_trip_ms: number | null;
  carried_bytes: number;
  kbit_s: number | null;
  text: string;
}

/** Who chose what in a poll; for a message that is none, nothing. */
export interface VotesView {
  options: OptionVotesView[];
}

export interface Methods {
  /** Change one's own name, what is reported, when to lock, and whether to use the network around. */
  "account.change": { params: { client_id: string; name?: string | null; reports_enabled?: boolean | null; lan_enabled?: boolean | null; lock_after_minutes?: number | null; }; result: Answer };
  /** The phrase is written down: forget the root key here. `phrase` must be the right one. */
  "account.confirm_phrase": { params: { client_id: string; phrase: string; }; result: Answer };
  /** Make this home's account. Answers `account_id`. */
  "account.create": { params: { client_id: string; name: string; relay: RelayAddress; }; result: Answer };
  /** Return the person whose home this is. */
  "account.get": { params: { }; result: AccountView };
  /** Return the recovery phrase, until it has been confirmed. */
  "account.phrase": { params: { }; result: PhraseView };
  /** Let a program in that has a token, of which only the SHA-256 is said here. Answers `bot_id`. */
  "bot.create": { params: { client_id: string; name: string; token_hash: string; can_write?: boolean; chats?: string[] | null; }; result: Answer };
  /** Return the programs that have a token, by name. */
  "bot.list": { params: { }; result: BotListView };
  /** Let a bot's token open nothing any more, at once. */
  "bot.revoke": { params: { client_id: string; bot_id: string; }; result: Answer };
  /** Return what the caller is and may do, and the account that it acts as. */
  "bot.self": { params: { }; result: BotSelfView };
  /** Let a stranger who wrote be a contact. */
  "chat.accept": { params: { client_id: string; chat_id: string; }; result: Answer };
  /** Keep a chat out of the list, or (`archived=False`) not; it goes on as before. */
  "chat.archive": { params: { client_id: string; chat_id: string; archived: boolean; }; result: Answer };
  /** Return the files that are attached in a chat and not sent yet, in their order. */
  "chat.attached": { params: { chat_id: string; }; result: FileListView };
  /** Leave a stranger's request unanswered and forget it. */
  "chat.decline": { params: { client_id: string; chat_id: string; }; result: Answer };
  /** Forget a chat's messages here; a group must have been left. */
  "chat.delete": { params: { client_id: string; chat_id: string; }; result: Answer };
  /** Return the messages that may be missing in a chat. */
  "chat.gaps": { params: { chat_id: string; }; result: GapListView };
  /** Return one chat. */
  "chat.get": { params: { chat_id: string; }; result: ChatView };
  /** Keep what was begun in a chat and is not sent yet; an empty text forgets it. Nobody is told. */
  "chat.keep_draft": { params: { client_id: string; chat_id: string; text: string; reply_to?: string | null; }; result: Answer };
  /** Return a page of the chats, the latest first. */
  "chat.list": { params: { cursor?: string | null; limit?: number; }; result: ChatListView };
  /** Return who is in a chat: admins first, then by name. */
  "chat.members": { params: { chat_id: string; }; result: MemberListView };
  /** Keep a chat quiet, or not. */
  "chat.mute": { params: { client_id: string; chat_id: string; muted: boolean; }; result: Answer };
  /** Return what changed in a chat: who came and went and took charge, its name and its timer. */
  "chat.notices": { params: { chat_id: string; }; result: NoticeListView };
  /** Put a chat on top of the list, or (`pinned=False`) not. */
  "chat.pin": { params: { client_id: string; chat_id: string; pinned: boolean; }; result: Answer };
  /** Return the messages that are pinned in a chat, the latest pin first. */
  "chat.pins": { params: { chat_id: string; }; result: PinListView };
  /** Everything in a chat up to this message has been read. */
  "chat.read": { params: { client_id: string; chat_id: string; message_id: string; }; result: Answer };
  /** Let new messages of a chat disappear so many seconds after they are sent; None: never. */
  "chat.set_expiry": { params: { client_id: string; chat_id: string; expiry_s: number | null; }; result: Answer };
  /** Take nothing more from this person, or (`blocked=False`) take it again. */
  "contact.block": { params: { client_id: string; account_id: string; blocked?: boolean; }; result: Answer };
  /** Tell whether a code that was scanned is the one that a person's device shows if nobody sits between. */
  "contact.compare": { params: { account_id: string; text: string; }; result: ComparedView };
  /** Return one person. */
  "contact.get": { params: { account_id: string; }; result: ContactView };
  /** Return people by name. */
  "contact.list": { params: { }; result: ContactListView };
  /** Call a person by a name of one's own; empty: by their own. */
  "contact.rename": { params: { client_id: string; account_id: string; own_name: string; }; result: Answer };
  /** Return the digits to compare with a person, and the code for them to scan. */
  "contact.safety_number": { params: { account_id: string; }; result: SafetyNumberView };
  /** Mark a person as compared by safety number, or (`verified=False`) not. */
  "contact.verify": { params: { client_id: string; account_id: string; verified?: boolean; }; result: Answer };
  /** Forget a dead drop that no conversation or link of ours lies in. */
  "drop.forget": { params: { client_id: string; relay_id: string; }; result: Answer };
  /** Keep a dead drop, with what opens it: its secret of 32 bytes, its place, and the password there. */
  "drop.keep": { params: { client_id: string; relay_id: string; secret: string; url: string; password?: string; bytes_a_day?: number; poll_s?: number; }; result: Answer };
  /** Return a drop's key, to be handed on: whoever has it can use the drop, and empty it. */
  "drop.key": { params: { relay_id: string; }; result: DropKeyView };
  /** Return the dead drops that this home can reach. */
  "drop.list": { params: { }; result: DropListView };
  /** Return events after a sequence, in order; raise `NotFound` where some of them are not kept any more. */
  "event.list": { params: { after: number; limit?: number; }; result: EventPageView };
  /** Have every event after a sequence told on this WebSocket, in order; replaces an earlier wish. */
  "event.subscribe": { params: { after?: number | null; }; result: SubscriptionView };
  /** Return a path to a file's bytes for where a page can send no token, as for a film. */
  "file.address": { params: { file_id: string; }; result: FileAddressView };
  /** Attach a file in a chat before its bytes come, or say more of one. Answers `file_id`. */
  "file.attach": { params: { client_id: string; chat_id: string; file_id?: string | null; name: string; media_type: string; size: number; thumbnail?: string; thumbnail_type?: string; width?: number; height?: number; duration_ms?: number; waveform?: string; }; result: Answer };
  /** Bring a file of a message here, or go on with that. */
  "file.fetch": { params: { client_id: string; file_id: string; }; result: Answer };
  /** Free the room that a file takes here; it can be fetched again while the relay has it. */
  "file.forget": { params: { client_id: string; file_id: string; }; result: Answer };
  /** Return one file of a message, or one that was put here and not sent yet. */
  "file.get": { params: { file_id: string; }; result: FileView };
  /** Hold a file on its way up or down, or (`paused=False`) let it go on. */
  "file.pause": { params: { client_id: string; file_id: string; paused?: boolean; }; result: Answer };
  /** Return how far files have come that move; subscribers are told so too, as `progress`. */
  "file.progress": { params: { }; result: ProgressView };
  /** Keep these folders of chats, in this order, in place of those that there were. */
  "folder.keep": { params: { client_id: string; folders: FolderWish[]; }; result: Answer };
  /** Return the folders of chats. */
  "folder.list": { params: { }; result: FolderListView };
  /** Add contacts to a group. */
  "group.add": { params: { client_id: string; chat_id: string; members: string[]; }; result: Answer };
  /** Let somebody into a group who asked by its link. */
  "group.approve": { params: { client_id: string; chat_id: string; account_id: string; }; result: Answer };
  /** Ask the admin whose link was opened to be let in, under our name. */
  "group.ask": { params: { client_id: string; log_id: string; }; result: Answer };
  /** Return in which groups something waits for us as an admin. */
  "group.attention": { params: { }; result: AttentionListView };
  /** Forget a group's link that was opened, and wait for no answer any more. */
  "group.cancel": { params: { client_id: string; log_id: string; }; result: Answer };
  /** Make a group with these contacts. Answers `chat_id`. */
  "group.create": { params: { client_id: string; title: string; members: string[]; }; result: Answer };
  /** Leave somebody outside who asked by a group's link; nobody tells them, nor hears them for a month. */
  "group.decline": { params: { client_id: string; chat_id: string; account_id: string; }; result: Answer };
  /** Take what members said against a message of a group off one's own list, as its admin. */
  "group.dismiss": { params: { client_id: string; chat_id: string; message_id: string; }; result: Answer };
  /** Return the links of groups that were opened here, the latest first. */
  "group.joining": { params: { }; result: JoiningListView };
  /** Leave a group. */
  "group.leave": { params: { client_id: string; chat_id: string; }; result: Answer };
  /** Return one's own link into a group, and who asks by it; nothing to who is no admin. */
  "group.link": { params: { chat_id: string; }; result: GroupLinkView };
  /** Make a lasting link into a group, as its admin, or return the one there is. Answers `link`, `log_id`. */
  "group.make_link": { params: { client_id: string; chat_id: string; }; result: Answer };
  /** Look where a link into a group leads; nobody is asked yet. Answers `log_id`. */
  "group.open_link": { params: { client_id: string; link: string; }; result: Answer };
  /** Remove a person from a group. */
  "group.remove": { params: { client_id: string; chat_id: string; member: string; }; result: Answer };
  /** Give a group another title. */
  "group.rename": { params: { client_id: string; chat_id: string; title: string; }; result: Answer };
  /** Return what members complain about in a group; nothing to who is no admin of it. */
  "group.reported": { params: { chat_id: string; }; result: ReportedListView };
  /** Let one's own link into a group lead nowhere, and forget who asked by it. */
  "group.revoke_link": { params: { client_id: string; chat_id: string; }; result: Answer };
  /** Make a member an admin or a plain member. */
  "group.set_role": { params: { client_id: string; chat_id: string; member: string; admin: boolean; }; result: Answer };
  /** Make another home beside this one, and return an address that opens its page once. */
  "home.add": { params: { name: string; }; result: PageView };
  /** Return the homes in the folder where this one is; each is another person. */
  "home.list": { params: { }; result: HomeListView };
  /** End the node, close the store and forget its key, until `home.unlock`. */
  "home.lock": { params: { }; result: DoneView };
  /** Start another home's node if need be, and return an address that opens its page once. */
  "home.open": { params: { name: string; }; result: PageView };
  /** Set, change or remove the passphrase. */
  "home.protect": { params: { passphrase: string; present?: string; }; result: DoneView };
  /** Remove this home for good, its keys first, and end the app. */
  "home.remove": { params: { name: string; }; result: DoneView };
  /** Open a locked home with its passphrase. */
  "home.unlock": { params: { passphrase: string; }; result: DoneView };
  /** Tell that somebody is using the page, so that the home is not locked for being left alone. */
  "home.used": { params: { }; result: DoneView };
  /** Open somebody's link and write to them. Answers `chat_id` (their account id) at once. */
  "link.accept": { params: { client_id: string; link: string; text?: string | null; }; result: Answer };
  /** Make a link for somebody to write to us by. Answers `link` and `log_id`. */
  "link.create": { params: { client_id: string; lasting?: boolean; }; result: Answer };
  /** Return one link that was made and not revoked. */
  "link.get": { params: { log_id: string; }; result: LinkView };
  /** Return links that were made and not revoked, the latest first. */
  "link.list": { params: { }; result: LinkListView };
  /** Let a link lead nowhere from now on. */
  "link.revoke": { params: { client_id: string; log_id: string; }; result: Answer };
  /** Return the place that a text is: coordinates, a `geo:` address, or a map's link. Nothing is fetched. */
  "location.parse": { params: { text: string; }; result: PastedView };
  /** Send a place to a chat: its coordinates in 1e-7 degrees, and what is there. Answers `message_id`. */
  "location.send": { params: { client_id: string; chat_id: string; latitude_e7: number; longitude_e7: number; label?: string; reply_to?: string | null; forwarded?: boolean; }; result: Answer };
  /** Delete a message: for everybody (one's own, or as an admin), or only here. */
  "message.delete": { params: { client_id: string; message_id: string; for_everyone?: boolean; }; result: Answer };
  /** Put another text in place of one's own message's. */
  "message.edit": { params: { client_id: string; message_id: string; text: string; mentions?: MentionSpan[]; }; result: Answer };
  /** Return one message. */
  "message.get": { params: { message_id: string; }; result: MessageView };
  /** Return a page of a chat, the latest first. */
  "message.list": { params: { chat_id: string; before?: number | null; after?: number | null; around?: number | null; limit?: number; }; result: MessagePageView };
  /** Keep a message at hand for everybody in its chat, or (`pinned=False`) not any more. */
  "message.pin": { params: { client_id: string; message_id: string; pinned?: boolean; }; result: Answer };
  /** Put an emoji on a message, or (`present=False`) take it off. */
  "message.react": { params: { client_id: string; message_id: string; emoji: string; present?: boolean; }; result: Answer };
  /** Return who has reported to have, or to have read, a message of ours, and who told nothing. */
  "message.receipts": { params: { message_id: string; }; result: ReceiptListView };
  /** Tell those admins of a group who are contacts about a message in it, and nobody else. */
  "message.report": { params: { client_id: string; message_id: string; reason: "danger" | "insult" | "other" | "spam"; note?: string; }; result: Answer };
  /** Return messages with all the words, the latest first; none for no words. */
  "message.search": { params: { text: string; chat_id?: string | null; before?: number | null; after?: number | null; limit?: number; }; result: FoundPageView };
  /** Write to a chat. Answers `message_id`. With files the text may be empty; it goes out after them. */
  "message.send": { params: { client_id: string; chat_id: string; text: string; reply_to?: string | null; mentions?: MentionSpan[]; files?: FileToSend[]; forwarded?: boolean; }; result: Answer };
  /** Begin to look at what the network does to the ways to relays, for a minute at most. */
  "network.check": { params: { together?: boolean; }; result: CheckupView };
  /** Return the latest look at the network, as far as it has come; subscribers are told it as `checkup`. */
  "network.get": { params: { }; result: CheckupView };
  /** Stop looking; what was found is kept. */
  "network.stop": { params: { }; result: CheckupView };
  /** Return an address that opens the page once. */
  "node.page": { params: { }; result: PageView };
  /** Return how the node and its relays are. */
  "node.status": { params: { }; result: StatusView };
  /** Take no more votes in a poll of one's own. */
  "poll.close": { params: { client_id: string; message_id: string; }; result: Answer };
  /** Ask a chat a question with answers to choose from. Answers `message_id`. */
  "poll.create": { params: { client_id: string; chat_id: string; question: string; options: string[]; several?: boolean; }; result: Answer };
  /** Choose answers of a poll, by their numbers from 0 up, in place of those before; none: take it back. */
  "poll.vote": { params: { client_id: string; message_id: string; choices: number[]; }; result: Answer };
  /** Return who chose what in a poll, by name. */
  "poll.votes": { params: { message_id: string; }; result: VotesView };
  /** Return the proxy that relays are reached through. */
  "proxy.get": { params: { }; result: ProxyView };
  /** Reach relays through a proxy from now on, or without one; connections around it end at once. */
  "proxy.set": { params: { address?: string; name?: string; password?: string; allows_direct?: boolean; }; result: ProxyView };
  /** Return a text as a QR code. */
  "qr.draw": { params: { text: string; }; result: PictureView };
  /** Return the relay that an address means, or that somebody's link leads to: one can live there too. */
  "relay.parse": { params: { text: string; }; result: RelayAddressView };
  /** Return files whose bytes can be freed, the largest first; none that has not been sent yet. */
  "storage.files": { params: { chat_id?: string | null; before_ms?: number | null; limit?: number; }; result: StoredFilesView };
  /** Return what this home takes on its disk. */
  "storage.get": { params: { }; result: StorageView };
}

export interface Events {
  "account.created": AccountCreated;
  "chat.changed": ChatChanged;
  "chat.created": ChatCreated;
  "contact.changed": ContactChanged;
  "file.changed": FileChanged;
  "folder.changed": FoldersChanged;
  "group.attention": GroupAttention;
  "group.joining": JoiningChanged;
  "link.changed": LinkCreated;
  "link.failed": LinkFailed;
  "link.used": LinkUsed;
  "message.changed": MessageChanged;
  "message.missing": GapNoticed;
  "message.queued": MessageQueued;
  "message.received": MessageReceived;
  "request.failed": RequestFailed;
}
