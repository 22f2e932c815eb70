"""Sizes that both ends agree on, each with its reason. Room-only limits live in their rooms."""

TAG_SIZE = 16
"""An AEAD tag, bytes: padded content is a power of two, its ciphertext is this much longer."""
ENTRY_SIZE_MAX = 64 * 1024 + TAG_SIZE
"""An entry of a log, bytes: bigger things travel as blobs."""
REKEY_SIZE_MAX = 1024 * 1024 + TAG_SIZE
"""A closer, bytes: a first commit in a fresh X-Wing group of 256 devices is 300 KB."""
ADDS_PER_COMMIT_MAX = 16
"""Bounds a commit's size, and the Welcome's."""
ROOM_DEVICES_MAX = 800
"""Leaves of one group: beyond that, feeds."""
ADDRESS_SIZE_MAX = 256
"""An address of a relay, bytes: eight of them leave a knock below 8 KiB, and four fit into a QR code."""
CREDIT_BYTES = 256 * 1024
"""What a relay sends in a session before the client has consumed some of it, bytes."""
PADDING_SIZE_MIN = 512
"""The smallest padded entry, bytes; larger ones go to the next power of two."""
CHUNK_SIZES = tuple(size * 1024 + TAG_SIZE for size in (64, 256, 1024, 4096))
"""What a blob is made of, bytes: a chunk is padded, and its ciphertext is a tag longer."""
FILE_SIZE_MAX = 2 * 1024 * 1024 * 1024
"""A file, bytes."""
BLOB_SIZE_MAX = 512 * CHUNK_SIZES[-1]
"""A blob, bytes: a file of 2 GiB."""
PART_SIZE_MAX = 1024 * 1024
"""What one frame carries of a blob, bytes: a message holds no more, and one waits for each reader."""
