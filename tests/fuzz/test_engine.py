"""What runs the targets: it finds what is there to be found, and nothing else."""

import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from fuzz import __main__ as program
from fuzz import engine
from fuzz.engine import Escaped, Figures, Runner, TooSlow, run_blindly
from fuzz.target import INPUT_SIZE_MAX, Part, Script, Target, changed, one_of
from skvoz.base.errors import Malformed
from skvoz.codec import Reader


def refuse(_: bytes) -> None:
    raise Malformed("no")


def stumble(data: bytes) -> None:
    if b"\x80" in data:
        raise KeyError
    refuse(data)


def test_a_planted_fault_is_found_with_its_input() -> None:
    figures = Figures()
    with pytest.raises(Escaped) as found:
        run_blindly(Target(run=stumble, seeds=(b"seed",)), figures, seed=1, seconds=60)
    assert b"\x80" in found.value.data
    assert isinstance(found.value.__cause__, KeyError)
    assert figures.executions > 1
    assert figures.taken == 0


def test_what_is_documented_is_no_fault() -> None:
    figures = Figures()
    assert not Runner(Target(run=refuse, seeds=()), figures).give(b"x")
    with pytest.raises(Escaped):
        Runner(Target(run=refuse, seeds=(), refusals=()), figures).give(b"x")


def test_a_state_that_changed_is_found() -> None:
    def check() -> None:
        raise AssertionError("changed")

    runner = Runner(Target(run=refuse, seeds=(), check=check), Figures())
    for _ in range(engine.CHECK_EVERY - 1):
        runner.give(b"")
    with pytest.raises(Escaped):
        runner.give(b"")


@pytest.fixture
def alarmed() -> Iterator[None]:
    before = signal.signal(signal.SIGVTALRM, engine._too_slow)
    yield
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("alarmed")
def test_an_input_that_takes_too_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CPU_SECONDS_MAX", 0.02)

    def spin(_: bytes) -> None:
        number = 10**9
        while number:
            number -= 1

    with pytest.raises(Escaped) as found:
        Runner(Target(run=spin, seeds=()), Figures()).give(b"x")
    assert isinstance(found.value.__cause__, TooSlow)


def test_the_first_byte_chooses_a_part() -> None:
    target = one_of((Part(refuse, [b"a"]), Part(lambda data: Reader(data).finish(), [b""])))
    assert target.seeds == (b"\x00a", b"\x01")
    assert [target.takes(data) for data in (b"\x00", b"\x01", b"\x02", b"\x03", b"\x01x", b"")] == [
        *(False, True, False, True, False, True),
    ]


def test_a_script_is_what_the_input_says_and_then_nothing() -> None:
    script = Script(b"\x05\x00\xff")
    assert [script.randrange(8), script.getrandbits(8), script.getrandbits(8)] == [5, 0, 255]
    assert script.is_over
    assert [script.randrange(100), script.choice("ab"), script.random()] == [0, "a", 0.0]
    assert script.randbytes(2) == b"\x00\x00"


def test_changes_repeat_with_their_seed_and_stay_small() -> None:
    original = bytes(INPUT_SIZE_MAX)
    first, second = Random(3), Random(3)
    for _ in range(200):
        data = changed(first, original, b"other")
        assert data == changed(second, original, b"other")
        assert len(data) <= INPUT_SIZE_MAX


def test_a_kept_input_is_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "limit_process", lambda: None)
    (tmp_path / "input").write_bytes(b"\x03junk")
    monkeypatch.setattr("sys.argv", ["fuzz", "--play", "codec", str(tmp_path / "input")])
    assert program.main() == 0
    assert "refused" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["fuzz", "--play", "no such", str(tmp_path / "input")])
    assert program.main() == 2


def test_a_crash_is_told_with_the_way_to_repeat_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "worker.py").write_text(
        "import json, sys; folder = sys.argv[sys.argv.index('--folder') + 1]\n"
        "print(json.dumps(dict(executions=3, taken=1, corpus=1, seconds=1, guided=False,"
        " crash=folder + '/crash-1')))\n"
    )
    monkeypatch.setattr(program, "FOLDER", tmp_path / ".fuzz")
    monkeypatch.setattr(program, "WORKER", "worker")
    monkeypatch.setattr("sys.argv", ["fuzz", "codec", "--each", "1", "--seed", "7"])
    assert program.main() == 1
    said = capsys.readouterr().out
    assert "3 executions" in said
    assert "./dev fuzz --play codec .fuzz/codec/crash-1" in said


def test_a_worker_that_dies_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "FOLDER", tmp_path / ".fuzz")
    monkeypatch.setattr(program, "WORKER", "no_such_module")
    monkeypatch.setattr("sys.argv", ["fuzz", "codec", "--each", "1"])
    assert program.main() == 1
    assert "codec: died with 1" in capsys.readouterr().out
