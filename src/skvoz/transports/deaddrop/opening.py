"""Storage by its URL.

    file:///PATH                                  a folder
    davs://USER@HOST/PATH                         WebDAV
    s3://KEY@HOST/BUCKET[/PREFIX][?region=…]      S3
    sftp://USER@HOST[:PORT]/PATH                  SFTP
    imaps://USER@HOST[:PORT]/FOLDER               a mail folder

`dav:`, `s3http:` and `imap:` are the same without TLS, on this machine only.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from skvoz.base.errors import BadRequest
from skvoz.transports.deaddrop.folder import FolderStorage
from skvoz.transports.deaddrop.imap import ImapStorage
from skvoz.transports.deaddrop.places import CREATES, StoragePlace, parse_place
from skvoz.transports.deaddrop.s3 import S3Storage
from skvoz.transports.deaddrop.storage import Storage
from skvoz.transports.deaddrop.webdav import WebDavStorage


def _folder(place: StoragePlace, _: str) -> Storage:
    if place.host or not place.path:
        raise BadRequest("a folder's address is file:///PATH")
    return FolderStorage(Path(place.path))


def _sftp(place: StoragePlace, password: str) -> Storage:
    from skvoz.transports.deaddrop.sftp import SftpStorage  # noqa: PLC0415  # half a second, and 18 MB

    return SftpStorage(place, password)


_OPENERS: Final[dict[str, Callable[[StoragePlace, str], Storage]]] = {
    "file": _folder,
    "davs": WebDavStorage,
    "dav": WebDavStorage,
    "s3": S3Storage,
    "s3http": S3Storage,
    "sftp": _sftp,
    "imaps": ImapStorage,
    "imap": ImapStorage,
}


def open_storage(url: str, password: str) -> Storage:
    """Return the storage at a URL; nothing is asked of it yet. Raises `BadRequest`, without the URL."""
    place = parse_place(url)
    opener = _OPENERS.get(place.scheme)
    if opener is None:
        raise BadRequest("this is not the address of a storage")
    return opener(place, password)


def ways_to_create(url: str) -> list[str]:
    """Return the URL with each way of creating that there is for its kind of storage, the best one first."""
    place = parse_place(url)
    if place.scheme not in _OPENERS:
        raise BadRequest("this is not the address of a storage")
    known = CREATES.get(place.scheme, ())
    if not known or "create" in place.options:
        return [url]
    joint = "&" if "?" in url else "?"
    return [f"{url}{joint}create={one}" for one in known]


async def settled(url: str) -> str:
    """Return the URL with what has to be learned from the storage once; raise `TransportError`."""
    place = parse_place(url)
    if place.scheme != "sftp" or "hostkey" in place.options:
        return url
    from skvoz.transports.deaddrop.sftp import learn_host_key  # noqa: PLC0415  # as above

    joint = "&" if "?" in url else "?"
    return f"{url}{joint}hostkey={quote(await learn_host_key(place), safe='')}"


def needs_password(url: str) -> bool:
    """Tell whether a storage lets nobody in without a password; raise `BadRequest` for none at all."""
    ways_to_create(url)
    return parse_place(url).scheme != "file"


def place_shown(url: str) -> str:
    """Return a storage's place for people to see: without a user's name."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
