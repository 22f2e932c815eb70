"""What nDPI takes each row and peer for: a chat of each by itself, with nothing blocked."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab import ndpi
from lab.peers import Peer, talk
from lab.rows import Row
from lab.stage import Stage

_TEXTS: Final = 3
_TEXT_EVERY_S: Final = 0.5
_ASKING: Final = frozenset({53, 5353})
"""Ports of questions for names; those on the local network are a neighbour's."""


async def verdicts(stage: Stage, rows: Sequence[Row], peers: Sequence[Peer]) -> dict[str, list[str]]:
    """Return of each the protocols that its flows count as, the most frequent first; nothing without nDPI."""
    if ndpi.why_not() is not None:
        return {}
    stage.world.box.use("none")
    found: dict[str, list[str]] = {}
    for row in rows:
        if not row.under:  # else nothing of it goes through the box
            file = stage.world.folder / f"{row.name}.pcap"
            with stage.world.box.captured(file):
                await (await stage.wake(row)).write_many(_TEXTS, _TEXT_EVERY_S)
                await stage.chats[row.name].inside.sleep()
            found[row.name] = await _protocols(file)
    for peer in peers:
        file = stage.world.folder / f"{peer.name}.pcap"
        with stage.world.box.captured(file):
            await asyncio.to_thread(stage.world.inside, "client", talk, peer, _TEXTS)
        found[peer.name] = await _protocols(file)
    return found


async def _protocols(capture: Path) -> list[str]:
    opinions = await asyncio.to_thread(ndpi.opinions, capture)
    counted = Counter(_in_words(one) for one in opinions if one.port not in _ASKING)
    return [words for words, _ in counted.most_common()]


def _in_words(opinion: ndpi.Opinion) -> str:
    name = f" to {opinion.name.removesuffix('.example')}" if opinion.name else ""
    return f"{opinion.protocol}{' (a guess)' if opinion.is_guess else ''}{name}"
