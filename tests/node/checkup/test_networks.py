"""A checkup in networks that do what blocking ones do: each is recognised, a healthy one gives nothing."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from skvoz.base.ids import RelayId
from skvoz.crypto import sha256
from skvoz.node.checkup import Checkup, Code, Report, Target, judge
from skvoz.node.dialer import Dialer
from tests.node.checkup.blocked_network import Servers, deaf_port, is_browser, servers
from tests.server.real_relay import running
from tests.transports.caddy import AUTHORITY, free_port, trusted
from tests.transports.counted_way import counted_way

pytestmark = pytest.mark.slow
PATIENCE_S = 3.0
AT_ONCE = 10
SLOW_BYTES_S = 8_000
SLOW_KBIT_S = 90
"""More than those bytes can be, whatever else this machine does meanwhile."""
PORTAL = (
    b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<p>!"
OWN = b"HTTP/1.1 308 x\r\nLocation: https://localhost/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Here:
    """A relay, what stands around it, and how to look at addresses of it."""

    around: Servers
    plain: int
    """The relay's own port."""
    front: int
    """Where it speaks TLS."""
    public_key: bytes
    stack: AsyncExitStack

    async def look(
        self,
        *addresses: str,
        resolves: Sequence[str] | OSError | None = None,
        page: bytes | None = None,
        also: str = "",
        together: bool = False,
    ) -> Report:
        async def resolver(_host: str, _port: int) -> Sequence[str]:
            if isinstance(resolves, OSError):
                raise resolves
            return resolves if resolves is not None else ["127.0.0.1"]

        page_port = free_port() if page is None else await self.around.says(page)
        relay_id = RelayId(sha256(self.public_key))
        places = [addresses, (also,)] if also else [addresses]
        targets = [
            Target(relay_id=relay_id, public_key=self.public_key, addresses=tuple(place)) for place in places
        ]
        broke: list[BaseException] = []
        checkup = Checkup(
            Dialer(trusted()), lambda: targets, broke.append, resolver=resolver, page_port=page_port
        )
        checkup.start(together=together)
        report = await checkup.wait()
        assert not broke
        assert report.state == "done"
        assert not report.is_cut_short
        return report


def at(port: int, kind: str = "wss") -> str:
    return f"{kind}://localhost:{port}/"


async def healthy(here: Here) -> Report:
    return await here.look(at(here.front), page=PAGE)


async def healthy_with_many_at_once(here: Here) -> Report:
    return await here.look(at(here.front), together=True)


async def local_relay_without_tls(here: Here) -> Report:
    return await here.look(f"ws://127.0.0.1:{here.plain}/", page=PORTAL)


async def name_reset(here: Here) -> Report:
    box = await here.around.box(here.front, lambda hello: "reset" if hello.name == "localhost" else "pass")
    return await here.look(at(box), page=OWN)


async def name_dropped(here: Here) -> Report:
    box = await here.around.box(here.front, lambda hello: "silence" if hello.name == "localhost" else "pass")
    return await here.look(at(box), page=PAGE)


async def program_hello(here: Here) -> Report:
    box = await here.around.box(here.front, lambda hello: "pass" if is_browser(hello) else "reset")
    return await here.look(at(box))


async def browser_hello(here: Here) -> Report:
    box = await here.around.box(here.front, lambda hello: "reset" if is_browser(hello) else "pass")
    return await here.look(at(box))


async def every_hello(here: Here) -> Report:
    box = await here.around.box(here.front, lambda _: "reset")
    return await here.look(at(box))


async def address_silent(here: Here) -> Report:
    return await here.look(at(here.stack.enter_context(deaf_port())))


async def address_refused(here: Here) -> Report:
    return await here.look(at(free_port()))


async def one_of_two_addresses(here: Here) -> Report:
    return await here.look(at(free_port()), at(here.front))


async def curtain(here: Here) -> Report:
    way = await here.stack.enter_async_context(counted_way(here.front, freeze_after=35))
    return await here.look(at(way.port))


async def ends_after_the_first_packets(here: Here) -> Report:
    way = await here.stack.enter_async_context(counted_way(here.front, freeze_after=9))
    return await here.look(at(way.port))


async def throttled(here: Here) -> Report:
    return await here.look(at(await here.around.slow(here.front, SLOW_BYTES_S)), also=at(here.front))


async def slow(here: Here) -> Report:
    return await here.look(at(await here.around.slow(here.front, SLOW_BYTES_S)))


async def login_page(here: Here) -> Report:
    stranger = await here.around.front(await here.around.says(PAGE), authority=trustme.CA())
    return await here.look(at(stranger), page=PORTAL)


async def page_over_tls_port(here: Here) -> Report:
    return await here.look(at(await here.around.says(PAGE)), page=PAGE)


async def certificate_replaced(here: Here) -> Report:
    return await here.look(at(await here.around.front(here.plain, authority=trustme.CA())), page=OWN)


async def name_leads_to_another_site(here: Here) -> Report:
    return await here.look(at(await here.around.front(here.plain, name="other.example")))


async def name_leads_inwards(here: Here) -> Report:
    return await here.look(f"wss://relay.invalid:{free_port()}/", resolves=["127.0.0.2"])


async def name_unknown(here: Here) -> Report:
    return await here.look(at(free_port()), resolves=socket.gaierror(socket.EAI_NONAME, ""))


async def resolver_silent(here: Here) -> Report:
    return await here.look(at(free_port()), resolves=TimeoutError())


async def no_websocket(here: Here) -> Report:
    return await here.look(at(await here.around.front(await here.around.requests_alone(here.plain))))


async def something_else_behind_the_front(here: Here) -> Report:
    return await here.look(at(await here.around.front(await here.around.says(PAGE))), page=PAGE)


Look = Callable[[Here], Awaitable[Report]]
WANTED: dict[Look, tuple[Code, ...]] = {
    healthy: (),
    healthy_with_many_at_once: (),
    local_relay_without_tls: (),
    name_reset: (Code.NAME_RESET,),
    name_dropped: (Code.NAME_DROPPED,),
    program_hello: (),  # none of our ways has one
    browser_hello: (Code.BROWSER_HELLO_BLOCKED,),
    every_hello: (Code.TLS_RESET,),
    address_silent: (Code.ADDRESS_SILENT,),
    address_refused: (Code.ADDRESS_REFUSED,),
    one_of_two_addresses: (Code.ADDRESS_REFUSED,),
    curtain: (Code.FREEZES,),
    ends_after_the_first_packets: (Code.STALLS,),
    login_page: (Code.PAGE_INSTEAD,),
    page_over_tls_port: (Code.PAGE_INSTEAD,),
    certificate_replaced: (Code.CERTIFICATE_REPLACED,),
    name_leads_to_another_site: (Code.NAME_FALSE,),
    name_leads_inwards: (Code.NAME_FALSE,),
    name_unknown: (Code.NAME_UNKNOWN,),
    resolver_silent: (Code.NAME_SILENT,),
    no_websocket: (Code.NO_STREAM,),
    something_else_behind_the_front: (Code.RELAY_ABSENT,),
}


SILENT: tuple[Look, ...] = (name_dropped, address_silent, curtain, ends_after_the_first_packets)
SLOWED: tuple[Look, ...] = (slow, throttled)
Reports = dict[Look, Report]


def looked_at(folder: Path, looks: Sequence[Look], patch: pytest.MonkeyPatch) -> Reports:
    """Look at some networks at once: most of the time is waiting."""
    authority = folder / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(authority)
    patch.setenv("SSL_CERT_FILE", str(authority))
    patch.setattr("skvoz.node.checkup.trial.LOAD_S", 3.0)
    # No large messages: they would take all of a core that is shared here.
    patch.setattr("skvoz.node.checkup.trial._LARGE_FROM_BYTES_S", 10**12)
    # How fast the others are is this machine's present business; `SLOWED` are judged by themselves.
    patch.setattr("skvoz.node.checkup.judging.SLOW_KBIT_S", 0)

    async def scenario() -> Reports:
        async with (
            running(folder / "relay") as (service, _),
            servers() as around,
            AsyncExitStack() as stack,
        ):
            front = await around.front(service.port)
            here = Here(around, service.port, front, service.public_key, stack)
            places = asyncio.Semaphore(AT_ONCE)

            async def take_turn(look: Look) -> Report:
                async with places:
                    return await look(here)

            found = await asyncio.gather(*map(take_turn, looks))
            return dict(zip(looks, found, strict=True))

    return asyncio.run(scenario())


def codes(reports: Reports) -> dict[str, tuple[Code, ...]]:
    return {look.__name__: tuple(one.code for one in report.findings) for look, report in reports.items()}


def wanted(looks: Sequence[Look]) -> dict[str, tuple[Code, ...]]:
    return {look.__name__: WANTED[look] for look in looks}


def test_what_a_network_does_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [look for look in (*WANTED, *SLOWED) if look not in SILENT]
    reports = looked_at(tmp_path, looks, monkeypatch)
    monkeypatch.setattr("skvoz.node.checkup.judging.SLOW_KBIT_S", SLOW_KBIT_S)
    for look in SLOWED:
        found = judge(reports.pop(look).measured)[0]
        assert found.relay == 1
        assert found.code in {Code.SLOW, Code.THROTTLED}
        assert found.numbers["kbit_s"] < SLOW_KBIT_S
    assert codes(reports) == wanted(list(reports))


def test_what_a_network_is_silent_about_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for where in ("trial.OPENS_WITHIN_S", "trial.SILENT_AFTER_S", "probing.TOUCH_S", "probing.HELLO_S"):
        monkeypatch.setattr(f"skvoz.node.checkup.{where}", PATIENCE_S)
    monkeypatch.setattr("skvoz.node.checkup.checkup.HELLO_S", PATIENCE_S)
    assert codes(looked_at(tmp_path, SILENT, monkeypatch)) == wanted(SILENT)
