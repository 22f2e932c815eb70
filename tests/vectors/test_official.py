"""Every official vector, in chunks that can run side by side, and the command that runs them."""

import json
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.vectors.__main__ import main
from tests.vectors.kinds import CASE_KINDS, kind_of, kind_of_path
from tests.vectors.outcome import NotOursError
from tests.vectors.runner import cases_of, run_case
from tests.vectors_folder import require, vectors_folder

_CASES_PER_TEST = 20
_NOT_OURS = {"sframe"}  # folders of vectors for what is not built yet


_SLOW = {"treekem.json"}


def _chunks() -> list[ParameterSet]:
    chunks: list[ParameterSet] = []
    for path in sorted(vectors_folder().rglob("*")):
        if path.suffix in {".json", ".cbor"} and path.parent.name not in _NOT_OURS:
            kind = kind_of_path(path)
            count = len(cases_of(kind, path)) if kind else 1
            relative = str(path.relative_to(vectors_folder()))
            marks = [pytest.mark.slow] if path.name in _SLOW else []
            chunks += [
                pytest.param(relative, start, marks=marks) for start in range(0, count, _CASES_PER_TEST)
            ]
    return chunks or [pytest.param("mls/crypto-basics.json", 0)]


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


def test_usage_errors_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--kind", "nonsense", __file__])
    assert stopped.value.code == 2
    assert "vectors: error:" in capsys.readouterr().err


_ELSEWHERE = {
    "xwing": "hpke/xwing-test-vectors.json",
    "hpke": "hpke/hpke-pq-test-vectors.json",
    "passive-client": "mls/passive-client-welcome.json",
    **{kind: f"mls/{kind}.json" for kind in CASE_KINDS if kind not in {"xwing", "hpke", "passive-client"}},
}


# Fields that decide a case, where its first one does not.
_TELLING = {
    "hpke": "enc",
    "tree-operations": "tree_after",
    "secret-tree": "encryption_secret",
    "transcript-hashes": "confirmation_key",
    "psk_secret": "psk_secret",
}


@pytest.mark.parametrize("kind", _ELSEWHERE)
def test_every_kind_runs_on_a_file_from_elsewhere(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy under any name passes; damaged, cut off, empty or absent, it fails and is counted."""
    cases = json.loads(require(_ELSEWHERE[kind]).read_bytes())
    if kind == "hpke":
        cases = [case for case in cases if case["kem_id"] == 0x647A]
    elif kind == "tree-math":
        cases = [case for case in cases if case["n_leaves"] < 64]
    cases = cases[:2]
    file = tmp_path / "from elsewhere.dat"
    whole = json.dumps(cases)
    file.write_text(whole)
    assert main(["--kind", kind, str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(cases)} passed, 0 failed"
    field = _TELLING.get(kind, next(iter(cases[0])))
    value = cases[0][field]
    changed = value + 1 if isinstance(value, int) else value[:-2]
    for damaged, failures in (
        (json.dumps([cases[0] | {field: changed}]), 1),
        (json.dumps([cases[0] | {field: None}, *cases[1:]]), 1),
        (json.dumps([{}, [], 5, None, "text"]), 5),
        (whole[: len(whole) // 2], 1),
        ("[" * 200_000, 1),
        ("", 1),
    ):
        file.write_text(damaged)
        assert main(["--kind", kind, str(file)]) == 1
        assert capsys.readouterr().out.splitlines()[-1].endswith(f"{failures} failed")
    file.write_bytes(b"\xff\xfe")
    assert main(["--kind", kind, str(file), str(tmp_path / "absent")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 2 failed"


def test_examples_of_content_run_from_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "from elsewhere.dat"
    file.write_bytes(require("mimi-content/original.cbor").read_bytes())
    assert main(["--kind", "mimi-content", str(file)]) == 0
    file.write_bytes(file.read_bytes()[:-1])
    assert main(["--kind", "mimi-content", str(file), str(tmp_path / "absent")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 2 failed"


def test_a_file_of_no_known_kind_fails_where_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "xwing.json").write_bytes(require("hpke/xwing-test-vectors.json").read_bytes())
    (tmp_path / "stranger.json").write_text("[]")
    assert main([str(tmp_path)]) == 0
    assert "stranger.json: not a kind" in capsys.readouterr().out
    assert main([str(tmp_path / "xwing.json"), str(tmp_path / "stranger.json")]) == 1
    out = capsys.readouterr().out
    assert "say --kind" in out
    assert out.splitlines()[-1] == "3 passed, 1 failed"


@pytest.mark.parametrize("field", ["signature_priv", "encryption_priv", "init_priv"])
def test_a_passive_clients_private_keys_are_those_of_its_key_package(field: str) -> None:
    (case, *_) = json.loads(require("mls/passive-client-welcome.json").read_bytes())
    other = case | {field: case[field][:-2] + f"{int(case[field][-2:], 16) ^ 1:02x}"}
    with pytest.raises(Exception, match=f"{field}|out of range"):
        CASE_KINDS["passive-client"](other)
