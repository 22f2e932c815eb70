"""Frames between a client and a relay, and the sealed session that carries them.

- `frames`: every frame as a tagged array, with its limits; what encodes and parses an array of frames
- `sealed`: the handshake to a relay's key, and the sealing of messages in both directions

`docs/protocol/wire.md` says the same for a second implementation.
"""
