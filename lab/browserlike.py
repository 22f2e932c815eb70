"""Requests with a browser's hello: `python -m lab.browserlike JSON` succeeds if all were answered."""

import asyncio
import datetime as dt
import json
import sys
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

import wreq
from wreq import exceptions
from wreq.dns import DnsOptions

_FAILED = (
    TimeoutError,
    exceptions.BodyError,
    exceptions.ConnectionError,
    exceptions.ConnectionResetError,
    exceptions.RequestError,
    exceptions.TimeoutError,
    exceptions.TlsError,
)


async def _ask(asked: dict[str, Any]) -> bool:
    names = DnsOptions()
    names.add_resolve(urlsplit(str(asked["url"])).hostname or "", [IPv4Address(asked["address"])])
    client = wreq.Client(
        emulation=getattr(wreq.Emulation, asked["browser"]),
        tls_verify=False,
        no_proxy=True,
        timeout=dt.timedelta(seconds=asked["timeout_s"]),
        dns_options=names,
    )
    try:
        response = await client.get(asked["url"])
        return response.status.as_int() == 200 and bool(await response.bytes())
    except _FAILED:
        return False


async def main(asked: dict[str, Any]) -> int:
    """Make the requests, each over a connection of its own."""
    tasks: list[asyncio.Task[bool]] = []
    for _ in range(asked["times"]):
        tasks.append(asyncio.create_task(_ask(asked)))
        await asyncio.sleep(asked["apart_s"])
    return 0 if all(await asyncio.gather(*tasks)) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(json.loads(sys.argv[1]))))
