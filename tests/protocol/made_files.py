"""The vectors of files: their blobs, and the messages that name them."""

from typing import Final

from skvoz.base.limits import CHUNK_SIZES
from skvoz.client.sealed_files import ChunkCipher, blob_read_key, layout_for
from skvoz.content import BlobPlace, File, Text, encode, to_content
from skvoz.crypto import sha256
from tests.protocol.made import NOW_MS, Vector, fixed

_SIZES: Final = (0, 65_536, 65_537, 600_000, 1_048_577, 300_000_000)


def file() -> Vector:
    """Return how sizes are laid out, a blob of three chunks, and the content of its message."""
    key = fixed("file key")
    content = bytes(number % 251 for number in range(2 * 65_536 + 1))
    layout = layout_for(len(content))
    cipher = ChunkCipher(key=key, layout=layout)
    size = layout.plain_size
    chunks = [
        bytes(cipher.seal(number, content[number * size : (number + 1) * size]))
        for number in range(layout.chunk_count)
    ]
    said = File(
        place=BlobPlace(
            relay_id=fixed("relay id"), blob_id=fixed("blob id", 16), chunk_size=layout.chunk_size
        ),
        key=key,
        size=len(content),
        sha256=sha256(content),
        name="лето.jpg",
        media_type="image/jpeg",
        width=640,
        height=480,
    )
    action = Text(text="look", files=(said,))
    return {
        "layouts": [
            {"size": one, "chunk": CHUNK_SIZES.index(made.chunk_size), "chunks": made.chunk_count}
            for one, made in ((one, layout_for(one)) for one in _SIZES)
        ],
        "key": key.hex(),
        "read_key": blob_read_key(key).hex(),
        "bytes": "number n, from 0 up, is n mod 251",
        "size": len(content),
        "sha256": sha256(content).hex(),
        "chunk_sha256": [sha256(chunk).hex() for chunk in chunks],
        "last_chunk_begins": chunks[-1][:32].hex(),
        "content": encode(to_content(action, salt=fixed("file salt", 16), sent_at_ms=NOW_MS)).hex(),
    }
