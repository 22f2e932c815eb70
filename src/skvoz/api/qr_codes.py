"""QR codes in pictures, for a page whose browser can't read them itself.

    POST /qr?width=W&height=H   W × H bytes of brightness, row by row -> {"text": …}, "" where no code is

One picture at a time, in a process of its own (`skvoz.api.qr_process`), which is started for the first one
and ended when it takes too long or nobody asked for a while.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from skvoz.api import protocol
from skvoz.api.qr_process import LENGTH, SIZES
from skvoz.api.requests import body_of, json_answer
from skvoz.api.views import View
from skvoz.base.errors import BadRequest

SIDE_MAX: Final = 1600
"""Points of a picture's side: a code that fills a tenth of it can still be read."""
TEXT_BYTES_MAX: Final = 8192
"""The largest QR code holds 7,089 digits."""
LOOKING_S_MAX: Final = 10.0
"""For one picture, the start of the process included; some 10 ms are usual."""
IDLE_S: Final = 30.0
"""After so long without a picture the process ends."""
_NEEDED: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What a Python may need to start; no passphrase or token of the environment is handed on."""


class QrText(View, frozen=True, kw_only=True):
    """What a code says, empty where there is none."""

    text: str


class QrReader:
    """The process that looks at pictures, while there is one."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._turn = asyncio.Lock()
        self._ending: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None

    async def text_in(self, width: int, height: int, brightness: bytes) -> str:
        """Return what a QR code in a picture says; "" where there is none or it could not be looked at."""
        async with self._turn:
            if self._ending is not None:
                self._ending.cancel()
            looking = asyncio.create_task(asyncio.to_thread(self._look, width, height, brightness))
            try:
                await asyncio.wait({looking}, timeout=LOOKING_S_MAX)
            finally:
                if not looking.done() and self._process is not None:
                    self._process.kill()  # which ends the look too
            self._ending = asyncio.get_running_loop().call_later(IDLE_S, self.close)
            return await looking

    def close(self) -> None:
        """End the process."""
        if self._ending is not None:
            self._ending.cancel()
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _look(self, width: int, height: int, brightness: bytes) -> str:
        if self._process is None:
            self._process = _Process()
        try:
            return self._process.text_in(width, height, brightness)
        except OSError:
            # It crashed or was ended: the next picture has a fresh one.
            self.close()
            return ""


class _Process:
    def __init__(self) -> None:
        self._running = subprocess.Popen(
            [sys.executable, "-P", "-m", "skvoz.api.qr_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _NEEDED if name in os.environ},
        )

    def kill(self) -> None:
        self._running.kill()

    def end(self) -> None:
        self._running.kill()
        # What was not taken any more is still to be written, which fails.
        with contextlib.suppress(OSError), self._running:
            pass

    def text_in(self, width: int, height: int, brightness: bytes) -> str:
        """Return what a code says; raise `OSError` where the process ends meanwhile."""
        asked = self._running.stdin
        if asked is None:
            raise OSError
        asked.write(SIZES.pack(width, height) + brightness)
        asked.flush()
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        if length > TEXT_BYTES_MAX:
            raise OSError
        return self._exactly(length).decode(errors="replace")

    def _exactly(self, size: int) -> bytes:
        data = b"" if self._running.stdout is None else self._running.stdout.read(size)
        if len(data) != size:
            raise OSError
        return data


async def answered_picture(reader: QrReader, request: Request) -> Response:
    """Answer with what a code in the picture of a request's body says."""
    try:
        width, height = (_side(request.query_params.get(name, "")) for name in ("width", "height"))
        brightness = await _brightness(request, width * height)
    except BadRequest as error:
        return json_answer(protocol.error_of(error), 400)
    except ClientDisconnect:
        return Response(status_code=400)
    return json_answer(QrText(text=await reader.text_in(width, height, brightness)))


def _side(words: str) -> int:
    if not words.isascii() or not words.isdigit() or len(words) > 4 or not 1 <= int(words) <= SIDE_MAX:
        raise BadRequest("a picture for a QR code has sides of 1 to 1,600 points")
    return int(words)


async def _brightness(request: Request, size: int) -> bytes:
    body = await body_of(request, size)
    if len(body) != size:
        raise BadRequest("a picture for a QR code has a byte for each point")
    return body
