"""The small relay that a node lends to the network around: the real one, in this process, for a while.

Its key, path and ticket are made for this time alone. It takes entries and no files, keeps them in a folder
that goes with it, and is open to nobody without the ticket, which the announcement has for friends.
"""

import contextlib
import secrets
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.node.lending import Lent, path_of
from skvoz.relay import Admission
from skvoz.server import RelayService, Settings, create_home
from skvoz.transports.lan import Lender

_LOG_BYTES_MAX: Final = 8 * 1024 * 1024
_LOG_ENTRIES_MAX: Final = 2_000
QUOTAS: Final = Quotas(
    log_bytes_max=_LOG_BYTES_MAX,
    log_entries_max=_LOG_ENTRIES_MAX,
    retention_s=3 * 24 * 3600,
    log_blobs_max=1,
    log_blob_bytes_max=1,
    opens_per_s=6 / 3600,
    open_burst=64,
    contest_burst=0,  # nobody commits here, and each branch would have room of its own
)
"""What friends, and former ones, may keep here: 64 conversations of 8 MiB, and six more an hour."""


@contextlib.asynccontextmanager
async def lend(folder: Path, address: str) -> AsyncGenerator[Lent]:
    """Run a relay in a folder of its own at an address of this machine until the block ends.

    Raises `SkvozError`.
    """
    ticket, path = secrets.token_bytes(16), secrets.token_bytes(16)
    lender = Lender(relay_id=bytes(32), ticket=ticket, path=path)
    shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
    try:
        create_home(folder)
        settings = Settings(
            host=address,
            port=0,
            path=path_of(lender),
            quotas=QUOTAS,
            admission=Admission(ticket_hashes=frozenset({sha256(ticket)})),
            carriage=None,  # who lends a place goes nowhere for others
        )
        service = await RelayService(folder, settings).start()
        try:
            known = Lender(relay_id=sha256(service.public_key), ticket=ticket, path=path)
            yield Lent(lender=known, port=service.port, failed=service.failed)
        finally:
            await service.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
