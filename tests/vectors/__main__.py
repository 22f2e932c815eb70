"""`python -m tests.vectors [--kind KIND FILE…] [DIR]`: runs official vectors, one line a kind.

The last line is `N passed, M failed`; the exit code is 1 if any failed or nothing was run.
"""

import argparse
import sys
from pathlib import Path

from tests.vectors.kinds import CASE_KINDS, FILE_KINDS, kind_of, kind_of_path
from tests.vectors.runner import Tally, run_files
from tests.vectors_folder import vectors_folder


def main(arguments: list[str]) -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="vectors", description="Run official test vectors.")
    parser.add_argument(
        "--kind", help="the kind of every file named: " + ", ".join((*CASE_KINDS, *FILE_KINDS))
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE or DIR")
    options = parser.parse_args(arguments)
    kind: str | None = options.kind
    paths: list[Path] = options.paths or [vectors_folder()]
    if not options.paths and not paths[0].is_dir():
        parser.error("the official vectors are not here; name files or a folder of them")
    if kind is not None:
        files = [file for path in paths for file in _files_in(path)]
        known = kind_of(kind)
        if known is None:
            parser.error(f"unknown kind {kind}; there are: " + ", ".join((*CASE_KINDS, *FILE_KINDS)))
        return _report({known: run_files(known, files)})
    by_kind: dict[str, list[Path]] = {}
    nameless = Tally()
    for path in paths:
        for file in _files_in(path):
            found = kind_of_path(file)
            if found is not None:
                by_kind.setdefault(found, []).append(file)
            elif path.is_dir():
                print(f"{file.parent.name}/{file.name}: not a kind that Skvoz has")
            else:
                nameless.failures.append(f"{file.name}: its name is of no kind that Skvoz has; say --kind")
    tallies = {name: run_files(name, chosen) for name, chosen in by_kind.items()}
    return _report(tallies | ({"no kind": nameless} if nameless.failures else {}))


def _files_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]  # also one that isn't there: that it can't be read is a failure to be counted
    return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix in {".json", ".cbor"})


def _report(tallies: dict[str, Tally]) -> int:
    for kind, tally in tallies.items():
        print(f"{kind}: {tally.passed} passed, {len(tally.failures)} failed")
        for failure in tally.failures:
            print(f"  FAILED {failure}")
        for reason, count in tally.not_ours.items():
            print(f"  not ours, not counted: {count} with {reason}")
    passed = sum(tally.passed for tally in tallies.values())
    failed = sum(len(tally.failures) for tally in tallies.values())
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
