"""A home on the disk: one locked folder with one encrypted database.

- `home`: the folder, its lock, and the file that protects the database's key
- `protection`: the key in the OS keyring, under a passphrase (Argon2id), or in a private file
- `removal`: a home removed for good, its keys first
- `database`: SQLCipher: opening, schema versions, transactions, errors in our own words
- `record_tables`: the records of `skvoz.client.records` in tables; implements the machine's `Records`
- `queries`: what people look at: chats, pages of messages, contacts, events
- `file_cache`: the bytes of files, sealed as they travel
- `drop_behind`: writing large files without filling the memory
- `search`: words in messages, with ё read as е
"""

from skvoz.store.database import Database
from skvoz.store.home import Home
from skvoz.store.protection import Protection
from skvoz.store.record_tables import RecordTables

__all__ = ["Database", "Home", "Protection", "RecordTables"]
