"""How words are read as formatted, and that no text of a stranger's takes long or loses a letter."""

import json
import subprocess
from typing import Any, Final

import pytest

from skvoz.api.page_files import FOLDER
from tests.browser.npm_tools import installed

pytestmark = pytest.mark.browser
MS_MAX: Final = 200

PROGRAM: Final = """
import { parseBlocks } from "%s";
const texts = JSON.parse(await new Promise((resolve) => {
  let all = "";
  process.stdin.on("data", (part) => (all += part)).on("end", () => resolve(all));
}));
const told = texts.map((text) => {
  const began = performance.now();
  const blocks = parseBlocks(text);
  return { blocks, ms: performance.now() - began };
});
console.log(JSON.stringify(told));
"""


def parsed(texts: list[str]) -> list[dict[str, Any]]:
    installed()  # skips where there is no node
    module = (FOLDER / "chat" / "formatting.js").as_uri()
    done = subprocess.run(
        ["node", "--input-type=module", "-e", PROGRAM % module],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def shown(text: str, parts: list[dict[str, Any]]) -> str:
    """Return parts as a short text: `strong(a em(b))`, links as `<…>`, code as `[…]`."""
    found: list[str] = []
    for part in parts:
        if part["kind"] in {"strong", "em", "del"}:
            found.append(f"{part['kind']}({shown(text, part['parts'])})")
            continue
        words = text[part["start"] : part["end"]]
        found.append({"text": words, "code": f"[{words}]", "link": f"<{words}>"}[part["kind"]])
    return "".join(found)


def blocks(text: str, found: list[dict[str, Any]]) -> str:
    told: list[str] = []
    for block in found:
        words = (
            text[block["start"] : block["end"]] if block["kind"] == "fence" else shown(text, block["parts"])
        )
        told.append({"lines": words, "quote": f"quote({words})", "fence": f"fence({words})"}[block["kind"]])
    return "|".join(told)


CASES: Final = {
    "plain": "plain",
    "**bold** and *slanted* or _slanted_": "strong(bold) and em(slanted) or em(slanted)",
    "~~gone~~, __not bold__!": "del(gone), __not bold__!",
    "**a *b* c**": "strong(a em(b) c)",
    "2*3*4, __init__.py and snake_case_name": "2*3*4, __init__.py and snake_case_name",
    "* not a mark * and ** neither **": "* not a mark * and ** neither **",
    "(*a*) *b*.": "(em(a)) em(b).",
    "`*code*` and ``": "[*code*] and ``",
    "*a\nb*": "*a\nb*",
    "слово*не*жирное *жирное*": "слово*не*жирное em(жирное)",
    "> quoted\n> more\nnot": "quote(quoted\nmore)|not",
    "```\ncode *a*\n```\nafter": "fence(code *a*)|after",
    "```js\nx\n```": "fence(x)",
    "```\nnever closed": "```\nnever closed",
    "see https://a.example/b_(c)?d=*e*.": "see <https://a.example/b_(c)?d=*e>*.",
    "(https://a.example/b)": "(<https://a.example/b>)",
    "HTTP://A.EXAMPLE": "<HTTP://A.EXAMPLE>",
    "xhttps://a.example ftp://a.example javascript:alert(1) https://": (
        "xhttps://a.example ftp://a.example javascript:alert(1) https://"
    ),
    "<b>x</b> [a](javascript:b) ![c](https://d.example/e.png)": (
        "<b>x</b> [a](javascript:b) ![c](<https://d.example/e.png>)"
    ),
}


def test_marks_are_read_at_the_edges_of_words() -> None:
    told = parsed(list(CASES))
    assert [blocks(text, one["blocks"]) for text, one in zip(CASES, told, strict=True)] == list(
        CASES.values()
    )


NASTY: Final = [
    "*" * 4096,
    "*a " * 1365,
    "**a" * 1365,
    "*a*" * 1365,
    "_*" * 2048,
    "*_~~" * 1024,
    "*a _b " * 680,
    "(" * 4096,
    "`" * 4096,
    "`a" * 2048,
    "```\n" * 1024,
    "> " * 2048,
    ">\n" * 2048,
    "http://" * 585,
    "https://a" * 455,
    "https://" + "a" * 4088,
    "https://a.example/" + "(" * 4078,
    "https://a.example/" + ")" * 4078,
    "https://a.example/" + "." * 4078,
    "\n" * 4096,
    "🎂*🎂*" * 680,
    "\u202e*\u0000*" * 800,
]


def test_no_text_takes_long_or_loses_anything() -> None:
    for text, one in zip(NASTY, parsed(NASTY), strict=True):
        assert one["ms"] < MS_MAX, (text[:12], one["ms"])
        units = text.encode("utf-16-le")
        covered = [False] * (len(units) // 2)

        def cover(parts: list[dict[str, Any]], covered: list[bool] = covered) -> None:
            for part in parts:
                if "parts" in part:
                    cover(part["parts"])
                    continue
                for place in range(part["start"], part["end"]):
                    assert not covered[place]
                    covered[place] = True

        cover(one["blocks"])
        rest = b"".join(units[2 * place : 2 * place + 2] for place, is_in in enumerate(covered) if not is_in)
        assert set(rest.decode("utf-16-le", "replace")) <= set("*_~`> \n"), text[:12]
