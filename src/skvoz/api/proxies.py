"""The person's proxy: what it is, and another one; none of it is in reach of a bot's token."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec

from skvoz.api.params import NoParams, Params
from skvoz.api.question import Method
from skvoz.api.views import View
from skvoz.node.node import Node
from skvoz.node.proxy_setting import ProxyChoice
from skvoz.transports.proxy import CREDENTIAL_SIZE_MAX, parse_proxy

_Address = Annotated[str, msgspec.Meta(max_length=300)]
_Credential = Annotated[str, msgspec.Meta(max_length=CREDENTIAL_SIZE_MAX)]


class ProxyView(View, frozen=True, kw_only=True):
    """The proxy that relays are reached through, without its password; no address means none."""

    address: str
    name: str
    allows_direct: bool


class SetProxyParams(Params, frozen=True, kw_only=True):
    """A proxy, socks5://HOST:PORT; without an address relays are reached directly from now on.

    With `allows_direct` they are reached directly where nothing gets through it.
    """

    address: _Address = ""
    name: _Credential = ""
    password: _Credential = ""
    allows_direct: bool = False


async def proxy_get(node: Node, _: NoParams) -> ProxyView:
    """Return the proxy that relays are reached through."""
    choice = node.proxy_setting.read()
    if choice is None:
        return ProxyView(address="", name="", allows_direct=False)
    return ProxyView(address=choice.proxy.shown, name=choice.proxy.name, allows_direct=choice.allows_direct)


async def proxy_set(node: Node, params: SetProxyParams) -> ProxyView:
    """Reach relays through a proxy from now on, or without one; connections around it end at once."""
    if params.address:
        proxy = parse_proxy(params.address, params.name, params.password)
        node.proxy_setting.write(ProxyChoice(proxy=proxy, allows_direct=params.allows_direct))
    else:
        node.proxy_setting.remove()
    return await proxy_get(node, NoParams())


Doing = Callable[[Node, Any], Awaitable[ProxyView]]
PROXIES: Final[dict[str, tuple[type[Params], Doing]]] = {
    "proxy.get": (NoParams, proxy_get),
    "proxy.set": (SetProxyParams, proxy_set),
}
"""By name: what is asked with, and who does it."""
METHODS: Final[dict[str, Method]] = {
    name: Method(params=params, result=ProxyView, about=doing.__doc__ or "")
    for name, (params, doing) in PROXIES.items()
}
