"""The proof of work of a contest: it makes flooding a closed segment with closers cost something.

A proof is a nonce of 8 bytes, such that SHA-256(log id ‖ key hash of the closed segment ‖ next hash ‖ nonce)
begins with `CONTEST_BITS` zero bits. It binds the closer's `next_hash`, so it serves one closer only.
"""

import hashlib
from typing import Final

CONTEST_BITS: Final = 18
"""About 260,000 hashes: a quarter of a second of Python, against a rate of two a minute."""
NONCE_SIZE: Final = 8
"""Bytes of a proof."""


def contest_proof_fits(log_id: bytes, key_hash: bytes, next_hash: bytes, nonce: bytes) -> bool:
    """Tell whether `nonce` proves the work for this closer."""
    if len(nonce) != NONCE_SIZE:
        return False
    digest = hashlib.sha256(log_id + key_hash + next_hash + nonce).digest()
    return int.from_bytes(digest[:8]) >> (64 - CONTEST_BITS) == 0


def find_contest_proof(log_id: bytes, key_hash: bytes, next_hash: bytes) -> bytes:
    """Do the work: return the first nonce that fits, counting from 0."""
    prefix = hashlib.sha256(log_id + key_hash + next_hash)
    bound = 1 << (64 - CONTEST_BITS)
    counter = 0
    while True:
        nonce = counter.to_bytes(NONCE_SIZE)
        attempt = prefix.copy()
        attempt.update(nonce)
        if int.from_bytes(attempt.digest()[:8]) < bound:
            return nonce
        counter += 1
