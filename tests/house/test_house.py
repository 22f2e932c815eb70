"""What linters can't say about the house: sizes, maps, links and words."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = TOP / "src" / "skvoz"
README_LINES_MAX: Final = 170
MODULE_LINES_MAX: Final = 600
FUNCTION_LINES_MAX: Final = 60
PURE_ROOMS: Final = ("base", "codec", "crypto", "mls", "content", "wire", "logs", "client", "relay")

# These only shrink: whoever makes one smaller writes the smaller number, or takes it out.
LONG_MODULES: Final[dict[str, int]] = {}
LONG_FUNCTIONS: Final[dict[str, int]] = {
    "client/conversations.py:create": 68,
    "client/conversations.py:join": 64,
}

# In pieces, so that this file holds none of them.
FORBIDDEN: Final = (
    "/wor" + "k/",
    "/tmp/pl" + "an",
    "pypi" + ".org",
    "files.python" + "hosted",
    "registry" + ".npmjs",
)


@cache
def modules() -> dict[str, str]:
    found = sorted(SOURCE.rglob("*.py"))
    return {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in found}


@cache
def tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True)
    paths = [TOP / name for name in listed.stdout.decode().split("\0") if name]
    return tuple(path for path in paths if path.is_file())


def pages() -> list[Path]:
    known = [path for path in tracked() if path.suffix == ".md"]
    return sorted({*known, *TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")})


def rooms() -> list[str]:
    return sorted(path.name for path in SOURCE.iterdir() if any(path.rglob("*.py")))


def function_lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = prefix + child.name
                lines = (child.end_lineno or child.lineno) - child.lineno + 1
                found[name] = max(lines, found.get(name, 0))
                visit(child, f"{name}.")
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.")
            else:
                visit(child, prefix)

    visit(ast.parse(text), "")
    return found


def test_the_readme_is_short() -> None:
    assert len((TOP / "README.md").read_text(encoding="utf-8").splitlines()) < README_LINES_MAX


def test_modules_are_small() -> None:
    sizes = {name: len(text.splitlines()) for name, text in modules().items()}
    large = {name: size for name, size in sizes.items() if size > LONG_MODULES.get(name, MODULE_LINES_MAX)}
    assert not large


def test_functions_are_small() -> None:
    sizes = {
        f"{module}:{name}": size
        for module, text in modules().items()
        for name, size in function_lines(text).items()
    }
    large = {name: n for name, n in sizes.items() if n > LONG_FUNCTIONS.get(name, FUNCTION_LINES_MAX)}
    assert not large


def headings(text: str) -> set[str]:
    """Return what a page's headings are called in links."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.strip().lower()).replace(" ", "-") for one in found}


def test_links_lead_to_headings_that_are_there() -> None:
    lost: list[str] = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for path, heading in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text):
            target = (page.parent / path).resolve() if path else page
            if target.suffix == ".md" and heading not in headings(target.read_text(encoding="utf-8")):
                lost.append(f"{page.name}: {path}#{heading}")
    assert not lost


def test_every_room_is_on_the_map() -> None:
    text = (TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [room for room in rooms() if f"| `{room}` |" not in text] == []


def test_every_decision_is_in_the_index() -> None:
    folder = TOP / "docs" / "adr"
    text = (folder / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in sorted(folder.glob("[0-9]*.md")) if f"({path.name})" not in text]
    assert missing == []


def test_links_between_pages_lead_somewhere() -> None:
    broken: list[str] = []
    for page in pages():
        for target in re.findall(r"\]\(([^()\s]+)\)", page.read_text(encoding="utf-8")):
            path = target.partition("#")[0]
            if path and ":" not in path and not (page.parent / path).exists():
                broken.append(f"{page.relative_to(TOP)}: {target}")
    assert broken == []


def test_no_tracked_file_names_a_workplace_or_a_registry() -> None:
    found: list[str] = []
    for path in tracked():
        text = path.read_bytes().decode(errors="replace")
        found += [f"{path.relative_to(TOP)}: {word}" for word in FORBIDDEN if word in text]
    assert found == []


def test_no_tracked_file_holds_a_conflict_of_a_merge() -> None:
    mark = re.compile(rb"^(<{7} |>{7} |={7}$)", re.MULTILINE)
    found = [str(path.relative_to(TOP)) for path in tracked() if mark.search(path.read_bytes())]
    assert found == []


def impure_calls(text: str) -> list[str]:
    """Find `print(…)`, the built-in `hash(…)`, a clock's `now()` and imports of `logging`."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Name(id="print" | "hash" as name)):
                found.append(name)
            case ast.Attribute(
                value=ast.Name(id="datetime" | "date"), attr="now" | "utcnow" | "today" as name
            ):
                found.append(name)
            case ast.Attribute(value=ast.Attribute(attr="datetime"), attr="now" | "utcnow" as name):
                found.append(name)
            case ast.Import(names=names) if any(name.name.split(".")[0] == "logging" for name in names):
                found.append("logging")
            case ast.ImportFrom(module="logging"):
                found.append("logging")
            case _:
                pass
    return found


def test_pure_rooms_print_nothing_and_know_no_clock() -> None:
    found = {
        name: calls
        for name, text in modules().items()
        if name.split("/")[0] in PURE_ROOMS and (calls := impure_calls(text))
    }
    assert not found


def test_impure_calls_are_recognised() -> None:
    text = (
        "import logging\nimport datetime\n"
        "print(hash('a'))\ndatetime.now()\ndatetime.datetime.now()\nsuite.hash(b'')\n"
    )
    assert sorted(impure_calls(text)) == ["hash", "logging", "now", "now", "print"]
