"""Ids that travel between rooms. All are random or hashes; none may appear in a log or an error."""

from typing import NewType

LogId = NewType("LogId", bytes)
"""A log at a relay: 16 random bytes."""
EntryId = NewType("EntryId", bytes)
"""An entry of a log: 16 random bytes chosen by the client, one per ciphertext."""
RelayId = NewType("RelayId", bytes)
"""A relay: SHA-256 of its public X-Wing key, 32 bytes."""
AccountId = NewType("AccountId", bytes)
"""A person: fingerprint of the account's root key, 32 bytes."""
GroupId = NewType("GroupId", bytes)
"""An MLS group, and so a conversation: 16 random bytes."""
MessageId = NewType("MessageId", bytes)
"""A message as people see it: the MIMI content hash, 32 bytes."""
