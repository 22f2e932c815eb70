"""The page's files: which there are, and what a browser is sent of them."""

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request

from skvoz.api.page_files import FOLDER, MEDIA_TYPES, PageFiles, as_served, without_comments
from tests.api.door import Door, at_the_door


def test_only_the_pages_own_files_are_there(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        for file in FOLDER.rglob("*"):
            if not file.is_file():
                continue
            answer = await one.ask("GET", f"/{file.relative_to(FOLDER).as_posix()}")
            assert answer.status == (200 if file.suffix in MEDIA_TYPES else 404), file.name
            if answer.status == 200:
                assert answer.body == as_served(file)
                assert answer.headers["content-type"] == MEDIA_TYPES[file.suffix]
                known = answer.headers["etag"]
                again = await one.ask("GET", f"/{file.relative_to(FOLDER).as_posix()}", if_none_match=known)
                assert (again.status, again.body) == (304, b"")
        for path in (
            "/../api/page.py",
            "/..%2fapi%2fpage.py",
            "//etc/passwd",
            "/vendor/",
            "/vendor/lit.LICENSE",
            "/types/api.d.ts",
            "/index.html/",
            "/%00",
            "/main.js%00.html",
        ):
            assert (await one.ask("GET", path)).status in {400, 404}, path

    at_the_door(tmp_path, visit)


def test_the_page_names_its_modules_so_that_they_are_fetched_together(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        named = (await one.ask("GET", "/")).headers["link"]
        modules = {file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.js")} - {"look.js"}
        assert {f"</{name}>; rel=modulepreload" for name in modules} == set(named.split(", "))

    at_the_door(tmp_path, visit)


@pytest.mark.parametrize(
    ("suffix", "written", "sent"),
    [
        (".js", b"/** Why.\n * More. **/\nrun(); // beside\n  // above\n", b"\n\nrun(); // beside\n\n"),
        (".js", b"/** @type {A} */ (x).y();\nz(); /* a\n*/\n", b"(x).y();\nz(); /* a\n*/\n"),
        (".js", b"/** @typed */ a(/** @type {A} */ (b));\n", b"/** @typed */ a((b));\n"),
        (".js", b"a(() => {\n  b(`  c\n    d`);\n});\n", b"a(() => {\nb(`  c\nd`);\n});\n"),
        (".js", b'a("/* in */");\nb("// a string");\n', None),
        (".js", b"/* one */ run(); /* two */\n/* three */\n", b"/* one */ run(); /* two */\n\n"),
        (".css", b"/* A list. */\na { b: c; }\n// d\n", b"\na { b: c; }\n// d\n"),
        (".html", b"<!-- why -->\n// not code\n", None),
        (".js", b"/* without an end\nrun();\n", None),
    ],
)
def test_only_comments_on_lines_of_their_own_types_and_indentation_are_left_out(
    suffix: str, written: bytes, sent: bytes | None
) -> None:
    assert without_comments(written, suffix) == (written if sent is None else sent)


def test_a_changed_file_is_served_anew(tmp_path: Path) -> None:
    script = tmp_path / "run.js"
    script.write_text("// why\nrun();\n")
    files = PageFiles(tmp_path)
    request = Request({"type": "http", "path_params": {"path": "run.js"}, "headers": []})
    before = asyncio.run(files.answer(request))
    assert (before.body, asyncio.run(files.answer(request)).headers) == (b"\nrun();\n", before.headers)
    script.write_text("// why\nrun(2);\n")
    after = asyncio.run(files.answer(request))
    assert after.body == b"\nrun(2);\n"
    assert after.headers["etag"] != before.headers["etag"]
