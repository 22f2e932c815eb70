"""Names and media types of files that others chose, made harmless before anybody sees them."""

import re
import unicodedata
from typing import Final

NAME_SIZE_MAX: Final = 160
"""Bytes of UTF-8: file systems take 255, and something may be put behind it."""
OTHERWISE: Final = "file"
ANY_TYPE: Final = "application/octet-stream"
_FORBIDDEN: Final = re.compile(r'[<>:"|?*/\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def harmless_name(name: str) -> str:
    """Return a name that is one component of a path on any system, hides nothing, and is never empty."""
    last = re.split(r"[/\\]", name)[-1]
    kept = unicodedata.normalize("NFC", _FORBIDDEN.sub("", last.encode(errors="replace").decode()))
    kept = _shortened(" ".join(kept.split()).strip(". ")).strip(". ")
    if not kept or _DEVICES.fullmatch(kept):
        return f"{OTHERWISE}-{kept}" if kept else OTHERWISE
    return kept


def _shortened(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 16:
        stem, dot, suffix = name, "", ""
    room = NAME_SIZE_MAX - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip() + dot + suffix


def harmless_type(media_type: str) -> str:
    """Return a media type without parameters, or that of any bytes where it is none."""
    plain = media_type.partition(";")[0].strip().lower()
    return plain if _TYPE.fullmatch(plain) else ANY_TYPE
