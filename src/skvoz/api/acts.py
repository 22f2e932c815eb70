"""What the app around the node does with the home as a whole: none of it is in reach of a bot's token."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import views
from skvoz.api.question import Method

UNLOCK: Final = "home.unlock"
ACTS: Final[dict[str, Method]] = {
    "home.lock": Method(
        params=asked.NoParams,
        result=views.DoneView,
        about="End the node, close the store and forget its key, until `home.unlock`.",
    ),
    UNLOCK: Method(
        params=asked.UnlockParams, result=views.DoneView, about="Open a locked home with its passphrase."
    ),
    "home.protect": Method(
        params=asked.ProtectParams, result=views.DoneView, about="Set, change or remove the passphrase."
    ),
    "home.remove": Method(
        params=asked.RemoveParams,
        result=views.DoneView,
        about="Remove this home for good, its keys first, and end the app.",
    ),
    "home.list": Method(
        params=asked.NoParams,
        result=views.HomeListView,
        about="Return the homes in the folder where this one is; each is another person.",
    ),
    "home.open": Method(
        params=asked.NeighbourParams,
        result=views.PageView,
        about="Start another home's node if need be, and return an address that opens its page once.",
    ),
    "home.add": Method(
        params=asked.NeighbourParams,
        result=views.PageView,
        about="Make another home beside this one, and return an address that opens its page once.",
    ),
    "home.used": Method(
        params=asked.NoParams,
        result=views.DoneView,
        about="Tell that somebody is using the page, so that the home is not locked for being left alone.",
    ),
}
"""By name; `skvoz.api.service.Service.acts` has who does them."""
