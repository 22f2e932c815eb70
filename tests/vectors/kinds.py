"""Every kind of official vector and its checker.

A kind is the stem of the JSON file, or what several stems begin with (`passive-client`); kinds of
single files are named after their folder (`mimi-content`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.vectors import content_kinds, crypto_kinds, mls_group, mls_messages, mls_tree

CaseChecker = Callable[[Any], None]
FileChecker = Callable[[str, bytes], None]

CASE_KINDS: Final[Mapping[str, CaseChecker]] = {
    **crypto_kinds.KINDS,
    **mls_tree.KINDS,
    **mls_messages.KINDS,
    **mls_group.KINDS,
}
FILE_KINDS: Final[Mapping[str, FileChecker]] = content_kinds.FILE_KINDS


def kind_of(name: str) -> str | None:
    """Return the kind that a file's stem, a folder or a word from the command line names."""
    wanted = _plain(name)
    fitting = [kind for kind in (*CASE_KINDS, *FILE_KINDS) if wanted.startswith(_plain(kind))]
    return max(fitting, key=len, default=None)


def kind_of_path(path: Path) -> str | None:
    """Return the kind of a vector file by its name or its folder's."""
    if path.suffix == ".json":
        return _among(CASE_KINDS, path.stem)
    return _among(FILE_KINDS, path.parent.name)


def _among(kinds: Mapping[str, object], name: str) -> str | None:
    kind = kind_of(name)
    return kind if kind in kinds else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
