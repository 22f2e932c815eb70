"""Media types that we understand (draft-ietf-mimi-content-08 §7)."""

from typing import Final

MARKDOWN: Final = "text/markdown;variant=GFM-MIMI"
PLAIN: Final = "text/plain;charset=utf-8"
REPORT: Final = "application/vnd.skvoz.report+cbor"
LOCATION: Final = "application/vnd.skvoz.location+cbor"
POLL: Final = "application/vnd.skvoz.poll+cbor"
VOTE: Final = "application/vnd.skvoz.vote+cbor"
POLL_CLOSED: Final = "application/vnd.skvoz.poll-closed+cbor"
PIN: Final = "application/vnd.skvoz.pin+cbor"
COMPLAINT: Final = "application/vnd.skvoz.complaint+cbor"

_UTF8_NAMES: Final = frozenset({"utf-8", "us-ascii"})


def is_markdown(content_type: str) -> bool:
    """Say whether it is Markdown of any variant: all are readable as ours."""
    return content_type == MARKDOWN or _without_parameters(content_type) == "text/markdown"


def is_plain(content_type: str) -> bool:
    """Say whether it is plain text in UTF-8, however the type is spelled."""
    if content_type == PLAIN:
        return True
    if _without_parameters(content_type) != "text/plain":
        return False
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in _UTF8_NAMES:
            return False
    return True


def is_text(content_type: str) -> bool:
    """Say whether it is a text that we show."""
    return is_markdown(content_type) or is_plain(content_type)


def _without_parameters(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
