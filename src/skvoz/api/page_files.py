"""The page's files: those of `skvoz/web` that a browser needs; listed once, so no path leads elsewhere."""

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


class PageFiles:
    """The files by path, as they are on the disk at the time of each request."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found = [file for file in folder.rglob("*") if file.suffix in MEDIA_TYPES and file.is_file()]
        self._files = {file.relative_to(folder).as_posix(): file for file in found}
        modules = sorted(name for name in self._files if name.endswith(".js") and name != CLASSIC_SCRIPT)
        self._preload = ", ".join(f"</{name}>; rel=modulepreload" for name in modules)

    async def answer(self, request: Request) -> Response:
        """Answer with a file, or that the browser has it already (304), or 404."""
        file = self._files.get(request.path_params["path"] or "index.html")
        if file is None:
            return Response(status_code=404)
        content = file.read_bytes()
        # The browser asks each time, so that a newer version never meets parts of an older one.
        headers = {"cache-control": "no-cache", "etag": entity_tag(content)}
        if file.suffix == ".html":
            # Fetched together, and not each once the one before it was read.
            headers["link"] = self._preload
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers | {"content-type": MEDIA_TYPES[file.suffix]})
