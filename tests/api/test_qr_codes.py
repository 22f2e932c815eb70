"""QR codes in pictures: what the page may ask, and a process for it that may crash."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec
import pytest
import segno

from skvoz.api import qr_codes
from skvoz.api.qr_codes import SIDE_MAX, QrReader
from tests.api.door import Door, at_the_door

TEXT: Final = "skvoz:" + "AbC-_0" * 40
POINTS: Final = 4


def picture_of(text: str) -> tuple[int, bytes]:
    """Return the side and the brightness of a QR code, as a camera might see it: grey on grey."""
    matrix = segno.make(text, micro=False).matrix
    rows = [bytes(220 - 180 * cell for cell in row for _ in range(POINTS)) for row in matrix]
    quiet = 8 * POINTS
    side = len(rows[0]) + 2 * quiet
    wide = [bytes([220]) * quiet + row + bytes([220]) * quiet for row in rows for _ in range(POINTS)]
    blank = [bytes([220]) * side] * quiet
    return side, b"".join((*blank, *wide, *blank))


def test_a_code_is_read_and_the_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        reader = QrReader()
        side, brightness = picture_of(TEXT)
        assert await reader.text_in(side, side, brightness) == TEXT
        assert await reader.text_in(side, side, bytes(side * side)) == ""
        assert reader.runs
        monkeypatch.setattr(qr_codes, "IDLE_S", 0.0)
        assert await reader.text_in(1, 1, b"\0") == ""
        for _ in range(3):
            await asyncio.sleep(0)
        assert not reader.runs
        reader.close()

    asyncio.run(scenario())


def test_a_process_that_crashes_or_hangs_costs_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        reader = QrReader()
        side, brightness = picture_of(TEXT)
        # Fewer points than were announced: it waits for the rest.
        monkeypatch.setattr(qr_codes, "LOOKING_S_MAX", 0.2)
        assert await reader.text_in(side, side, brightness[:-1]) == ""
        monkeypatch.undo()
        assert await reader.text_in(side, side, brightness) == TEXT
        assert reader._process is not None
        reader._process.kill()
        assert await reader.text_in(side, side, brightness) == ""
        assert await reader.text_in(side, side, brightness) == TEXT
        reader.close()
        assert not reader.runs

    asyncio.run(scenario())


def test_the_page_may_ask_and_nobody_else(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        side, brightness = picture_of(TEXT)
        path = f"/qr?width={side}&height={side}"
        token = await one.token()
        answer = await one.ask("POST", path, brightness, authorization=f"Bearer {token}", origin=one.origin)
        assert answer.status == 200
        assert msgspec.json.decode(answer.body) == {"text": TEXT}
        assert (await one.ask("POST", path, brightness)).status == 401
        assert (await one.ask("POST", path, brightness, authorization="Bearer skvoz-bot-x")).status == 401
        headers = {"authorization": f"Bearer {token}", "origin": "http://evil.example"}
        assert (await one.ask("POST", path, brightness, **headers)).status == 403

    at_the_door(tmp_path, visit)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sides", "size"),
    [
        ("width=2&height=2", 3),
        ("width=2&height=2", 5),
        ("width=2", 2),
        ("width=0&height=0", 0),
        ("width=-2&height=-2", 4),
        ("width=2.0&height=2", 4),
        ("width=\u0662&height=2", 4),
        (f"width={SIDE_MAX + 1}&height=1", SIDE_MAX + 1),
        ("width=99999999&height=99999999", 10),
    ],
)
def test_a_picture_has_the_size_that_it_says(tmp_path: Path, sides: str, size: int) -> None:
    async def visit(one: Door) -> None:
        token = await one.token()
        path = f"/qr?{sides}".encode().decode("latin-1")
        answer = await one.ask("POST", path, bytes(size), authorization=f"Bearer {token}")
        assert answer.status == 400

    at_the_door(tmp_path, visit)
