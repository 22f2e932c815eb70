"""Every official vector, in chunks that can run side by side, and the command that runs them."""

import json
from pathlib import Path

import pytest

from tests.vectors.__main__ import main
from tests.vectors.kinds import kind_of, kind_of_path
from tests.vectors.outcome import NotOursError
from tests.vectors.runner import cases_of, run_case
from tests.vectors_folder import require, vectors_folder

_CASES_PER_TEST = 20
_NOT_OURS = {"sframe"}  # folders of vectors for what is not built yet


def _chunks() -> list[tuple[str, int]]:
    chunks: list[tuple[str, int]] = []
    for path in sorted(vectors_folder().rglob("*")):
        if path.suffix in {".json", ".cbor"} and path.parent.name not in _NOT_OURS:
            kind = kind_of_path(path)
            count = len(cases_of(kind, path)) if kind else 1
            relative = str(path.relative_to(vectors_folder()))
            chunks += [(relative, start) for start in range(0, count, _CASES_PER_TEST)]
    return chunks or [("mls/crypto-basics.json", 0)]


@pytest.mark.parametrize(("relative", "start"), _chunks())
def test_official_vectors(relative: str, start: int) -> None:
    path = require(relative)
    kind = kind_of_path(path)
    assert kind is not None, "a vector file of a kind that nobody checks"
    for case in cases_of(kind, path)[start : start + _CASES_PER_TEST]:
        try:
            run_case(kind, path, case)
        except NotOursError:
            assert kind == "hpke"  # KEMs that no suite of ours uses


def test_the_mls_set_is_whole() -> None:
    folder = require("mls")
    counted = sum(len(json.loads(path.read_bytes())) for path in folder.glob("*.json"))
    assert counted >= 784
    assert len(list(folder.glob("*.json"))) >= 15


def test_kinds_are_found_by_what_a_name_begins_with() -> None:
    assert kind_of("xwing-test-vectors") == "xwing"
    assert kind_of("hpke-pq-test-vectors") == "hpke"
    assert kind_of("crypto_basics") == "crypto-basics"
    assert kind_of("passive-client-random") == "passive-client"
    assert kind_of("psk-secret") == "psk_secret"
    assert kind_of("welcome") == "welcome"
    assert kind_of("nonsense") is None
    assert kind_of_path(Path("x/crypto-basics.txt")) is None


def test_a_wrong_value_is_a_failure_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = json.loads(require("hpke/xwing-test-vectors.json").read_bytes())
    cases[1]["ss"] = "00" * 32
    (tmp_path / "others.json").write_text(json.dumps(cases))
    assert main(["--kind", "xwing", str(tmp_path / "others.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "2 passed, 1 failed"
    assert any("others.json #1: MismatchError: shared secret" in line for line in lines)


def test_broken_files_are_failures_and_unknown_ones_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "xwing.json").write_text("{")
    (tmp_path / "crypto-basics.json").write_text('[{"cipher_suite": 9}, 5]')
    (tmp_path / "stranger.json").write_text("[]")
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "stranger.json: not a kind that Skvoz has" in out
    assert "unknown cipher suite" in out
    assert out.splitlines()[-1] == "0 passed, 3 failed"


def test_what_is_not_ours_is_said_and_not_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hpke.json").write_text('[{"mode": 0, "kem_id": 64}]')
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "not ours, not counted: 1 with KEM 0x0040" in out
    assert out.splitlines()[-1] == "0 passed, 0 failed"


@pytest.mark.parametrize("arguments", [["--kind", "nonsense", __file__], ["/no/such/file"]])
def test_usage_errors_are_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "vectors: error:" in capsys.readouterr().err
