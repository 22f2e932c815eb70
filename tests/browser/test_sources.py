"""The page's sources: types, the vendored module, size, and what must not stand in them."""

import gzip
import hashlib
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from skvoz.api.page_files import FOLDER, MEDIA_TYPES, as_served
from tests.browser.npm_tools import HERE, REPOSITORY, installed

CODE_BYTES_MAX: Final = 120_000
"""All code that a browser loads, as the node sends it, each file compressed by itself."""
WORDS_BYTES_MAX: Final = 25_000
"""The words of one language, likewise; English stands in the code."""
SCRIPT_LINES_MAX: Final = 400
IMPORT: Final = re.compile(r'^(?:import|(?:import|export)\b[^;"]* from) "([^"]+)";', re.MULTILINE)
VENDORED: Final = re.compile(r"^\| `vendor/([\w.]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)
TOKEN: Final = re.compile(
    r"""(?P<comment>//[^\n]*|/\*[\s\S]*?\*/)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<pattern>(?<=[=(,:?&|!\[{;])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/)|(?P<mark>[`{}])"""
)
"""What may hide a backtick or look like a comment, in the code outside of templates."""
DOCUMENT: Final = REPOSITORY / "docs" / "vendored.md"


def served() -> list[Path]:
    return [file for file in sorted(FOLDER.rglob("*")) if file.suffix in MEDIA_TYPES]


def own_scripts() -> list[Path]:
    return [file for file in served() if file.suffix == ".js" and file.parent.name != "vendor"]


@pytest.mark.browser
def test_types_hold() -> None:
    compiler = installed() / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        ["node", str(compiler), "-p", str(HERE / "tsconfig.json")],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_vendored_module_is_the_one_that_was_looked_at() -> None:
    found = dict(
        re.findall(r"^\| `vendor/([\w.]+)` \|.*\| `([0-9a-f]{64})` \|$", DOCUMENT.read_text(), re.MULTILINE)
    )
    there = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (FOLDER / "vendor").iterdir()
        if file.suffix in MEDIA_TYPES
    }
    assert found == there
    for name in there:
        assert (FOLDER / "vendor" / name.replace(".js", ".LICENSE")).exists()


@pytest.mark.browser
def test_the_vendored_module_can_be_made_again(tmp_path: Path) -> None:
    modules = installed()
    (tmp_path / "lit.entry.js").write_bytes((HERE / "lit.entry.js").read_bytes())
    (tmp_path / "node_modules").symlink_to(modules)
    command = re.search(r"npx (esbuild lit\.entry\.js .*)", DOCUMENT.read_text())
    assert command is not None
    program, *arguments = command[1].split()
    subprocess.run(
        ["node", str(modules / program / "bin" / program), *arguments],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert (tmp_path / "lit.js").read_bytes() == (FOLDER / "vendor" / "lit.js").read_bytes()
    licence = (FOLDER / "vendor" / "lit.LICENSE").read_bytes()
    assert (modules / "lit" / "LICENSE").read_bytes() == licence


def test_the_page_is_small(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {file: len(gzip.compress(as_served(file), 9)) for file in served()}
    words = {file.stem: size for file, size in sizes.items() if file.parent.name == "texts"}
    code = sum(sizes.values()) - sum(words.values())
    told = ", ".join(f"{language} {size / 1000:.1f} kB" for language, size in words.items())
    most = CODE_BYTES_MAX / 1000
    with capsys.disabled():
        print(f"\nthe page's code: {code / 1000:.1f} kB compressed, of {most:.0f}; words: {told}")
    assert code <= CODE_BYTES_MAX
    assert max(words.values()) <= WORDS_BYTES_MAX


def templates_words(code: str) -> list[str]:
    """Return the words of all template literals, without the code in their `${…}`."""
    found: list[str] = []
    at, inside, depths = 0, False, [0]
    while at < len(code):
        if inside:
            part = re.compile(r"(?:\\[\s\S]|[^`\\$]|\$(?!\{))*").match(code, at)
            assert part is not None
            found.append(part[0])
            at = part.end()
            inside = not code.startswith("`", at)
            if inside:  # at `${`: code until its brace
                depths.append(0)
            else:
                depths.pop()
            at, inside = at + (2 if inside else 1), False
            continue
        token = TOKEN.search(code, at)
        if token is None:
            break
        at = token.end()
        if token["mark"] == "`":
            depths.append(-1)
            inside = True
        elif token["mark"] == "{":
            depths[-1] += 1
        elif token["mark"] == "}":
            if depths[-1] == 0 and len(depths) > 1:  # the end of `${…}`
                depths.pop()
                inside = True
            else:
                depths[-1] -= 1
    assert depths == [0]
    return found


@pytest.mark.parametrize("script", own_scripts(), ids=lambda path: path.name)
def test_no_template_has_a_line_that_looks_like_a_comment(script: Path) -> None:
    for words in templates_words(script.read_text("utf-8")):
        assert not re.search(r"^[ \t]*(?://|/\*)", words, re.MULTILINE)


def test_the_words_of_templates_are_found() -> None:
    code = "a(`one ${b ? `two\n// not one ${{ c: `three` }}` : /`/} four`); // `five`\nd('`', \"{\");"
    assert templates_words(code) == ["one ", "two\n// not one ", "three", "", " four"]


@pytest.mark.browser
def test_what_is_served_compiles_to_what_is_written(tmp_path: Path) -> None:
    compiler = installed() / "typescript" / "bin" / "tsc"
    made: list[dict[str, bytes]] = []
    for name in ("written", "served"):
        folder = tmp_path / name
        for script in own_scripts():
            copy = folder / script.relative_to(FOLDER)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(script.read_bytes() if name == "written" else as_served(script))
            assert copy.read_bytes().count(b"\n") == script.read_bytes().count(b"\n")
        out = tmp_path / f"{name}-made"
        options = "--allowJs --noCheck --noResolve --removeComments --target esnext --module esnext"
        files = [str(file) for file in sorted(folder.rglob("*.js"))]
        subprocess.run(
            ["node", str(compiler), *options.split(), "--rootDir", folder, "--outDir", out, *files],
            capture_output=True,
            check=True,
        )
        # How far a line of a template is indented is left out, and stands for one space at most.
        made.append(
            {
                file.relative_to(out).as_posix(): re.sub(rb"(?m)^[ \t]+", b"", file.read_bytes())
                for file in out.rglob("*.js")
            }
        )
    assert len(made[0]) == len(own_scripts())
    assert made[0] == made[1]


@pytest.mark.parametrize("script", own_scripts(), ids=lambda path: path.name)
def test_no_script_makes_code_or_markup_out_of_text(script: Path) -> None:
    text = script.read_text("utf-8")
    for way in (
        r"\binnerHTML\b",
        r"\bouterHTML\b",
        r"\binsertAdjacentHTML\b",
        r"\bunsafe\w+",
        r"\beval\(",
        r"\bnew Function\b",
        r"\bdocument\.write\b",
        r"\bcreateContextualFragment\b",
    ):
        assert not re.search(way, text), way
    assert len(text.splitlines()) <= SCRIPT_LINES_MAX


def test_browsers_keep_only_how_the_page_looks_and_the_sessions_token() -> None:
    keeping = {
        "localStorage": {
            "look.js",
            "core/look.js",
            "core/texts.js",
            "features/cards.js",
            "features/emergency.js",
            "features/notifications.js",
        },
        "sessionStorage": {"core/session.js", "features/emergency.js"},
    }
    keeping |= {name: set[str]() for name in ("indexedDB", "document.cookie", "caches.")}
    for storage, files in keeping.items():
        found = {
            script.relative_to(FOLDER).as_posix()
            for script in own_scripts()
            if storage in script.read_text("utf-8")
        }
        assert found == files, storage


@pytest.mark.parametrize("script", own_scripts(), ids=lambda path: path.name)
def test_scripts_import_their_neighbours_by_relative_paths(script: Path) -> None:
    for target in IMPORT.findall(script.read_text("utf-8")):
        assert target.startswith(("./", "../")), target
        assert (script.parent / target).resolve().is_file(), target


def test_pages_name_no_other_host() -> None:
    for file in served():
        hosts = set(re.findall(r"(?:https?|wss?):\\?/\\?/([\w.-]+)", file.read_text("utf-8")))
        assert hosts <= {"www.w3.org", "127.0.0.1"}, file.name  # the name of SVG, and this machine
