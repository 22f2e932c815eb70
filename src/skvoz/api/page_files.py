"""The page's files: those of `skvoz/web` that a browser needs; listed once, so no path leads elsewhere.

Comments, types and indentation are for people who read the source: a browser is sent empty lines in place
of the former, and so less than half as much to read at each start, with every line under its number.
"""

import re
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

import skvoz
from skvoz.api.page_guard import entity_tag

FOLDER: Final = Path(skvoz.__file__).parent / "web"
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""What is served; types and licences for people who read the source are not."""


CLASSIC_SCRIPT: Final = "look.js"
"""Runs before the first paint; the others are modules."""
AS_THEY_ARE: Final = "vendor"
"""The folder of files by others, served byte for byte."""

_BLOCK: Final = rb"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/[ \t]*"
# Only what fills its lines from their beginning to their end: so nothing inside a string or a template
# is ever touched.
_COMMENTS: Final = {
    ".css": re.compile(rb"^[ \t]*" + _BLOCK + rb"$", re.MULTILINE),
    ".js": re.compile(rb"^[ \t]*(?:" + _BLOCK + rb"|//[^\n]*)$", re.MULTILINE),
}


_TYPES: Final = re.compile(rb"/\*\* @(?:type|satisfies) [^*\n]*\*/[ \t]?")
"""What an expression is, before it: looks like nothing that stands in a string or a template."""
_INDENTATION: Final = re.compile(rb"^[ \t]+", re.MULTILINE)
"""In a template too, where a browser takes any white space for one space."""


def without_comments(content: bytes, suffix: str) -> bytes:
    """Return a script or style with empty lines for comments on lines of their own, and not indented."""
    comments = _COMMENTS.get(suffix)
    if comments is None:
        return content
    content = comments.sub(lambda found: b"\n" * found[0].count(b"\n"), content)
    return _INDENTATION.sub(b"", _TYPES.sub(b"", content))


def as_served(file: Path) -> bytes:
    """Return what a browser is sent of a file; raises `OSError`."""
    content = file.read_bytes()
    return content if file.parent.name == AS_THEY_ARE else without_comments(content, file.suffix)


class PageFiles:
    """The files by path, as they are on the disk at the time of each request."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found = [file for file in folder.rglob("*") if file.suffix in MEDIA_TYPES and file.is_file()]
        self._files = {file.relative_to(folder).as_posix(): file for file in found}
        self._read: dict[Path, tuple[tuple[int, int], bytes, str]] = {}
        modules = sorted(name for name in self._files if name.endswith(".js") and name != CLASSIC_SCRIPT)
        self._preload = ", ".join(f"</{name}>; rel=modulepreload" for name in modules)

    async def answer(self, request: Request) -> Response:
        """Answer with a file, or that the browser has it already (304), or 404."""
        file = self._files.get(request.path_params["path"] or "index.html")
        if file is None:
            return Response(status_code=404)
        content, tag = self._now(file)
        # The browser asks each time, so that a newer version never meets parts of an older one.
        headers = {"cache-control": "no-cache", "etag": tag}
        if file.suffix == ".html":
            # Fetched together, and not each once the one before it was read.
            headers["link"] = self._preload
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers | {"content-type": MEDIA_TYPES[file.suffix]})

    def _now(self, file: Path) -> tuple[bytes, str]:
        """Return what is sent of a file and its tag; a file is read once for each of its versions."""
        state = file.stat()
        version = (state.st_mtime_ns, state.st_size)
        known = self._read.get(file)
        if known is None or known[0] != version:
            content = as_served(file)
            known = self._read[file] = (version, content, entity_tag(content))
        return known[1], known[2]
