"""Every fuzz target, for a moment and with the same inputs each time; and what its inputs reach."""

import sys
from random import Random
from types import FrameType
from typing import Final

import pytest

from fuzz import scratch
from fuzz.parsers import PARSERS
from fuzz.target import changed
from fuzz.targets import TARGETS, load
from tests.house.test_house import SOURCE

_CHANGED_INPUTS: Final = 40


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_and_reaches_its_parsers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKVOZ_KEYRING", "off")
    called: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(SOURCE)):
            called.add(f"{code.co_filename[len(str(SOURCE)) + 1 :]}:{code.co_qualname}")

    try:
        target = load(name)
        chance = Random(7)
        seeds = target.seeds
        more = [changed(chance, chance.choice(seeds), chance.choice(seeds)) for _ in range(_CHANGED_INPUTS)]
        for data in (*seeds, *more):
            sys.setprofile(note)  # each time: the interpreter forgets it where the stack overflows
            target.takes(data)
        if target.check is not None:
            target.check()
    finally:
        sys.setprofile(None)
        scratch.clean_up()
    assert sorted(set(PARSERS.get(name, ())) - called) == []
