import re
import string
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from skvoz.texts import LANGUAGES
from tests.texts import catalogue as catalogues

OTHERS = LANGUAGES[1:]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def forms_of(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(form) for form in cast("list[object]", text)]


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_none_is_left_over(language: str) -> None:
    known = {cast("catalogues.Text", message.id) for message in catalogues.read(language) if message.id}
    assert known == set(catalogues.all_texts())
    missing = [
        message.id
        for message in catalogues.read(language)
        if message.id and not catalogues.is_translated(message)
    ]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_fill_in_what_the_texts_do(language: str) -> None:
    wrong: list[object] = []
    for message in catalogues.read(language):
        if not message.id:
            continue
        wanted = [fields(form) for form in forms_of(message.id)]  # in click's plurals they differ
        wrong += [message.id for form in forms_of(message.string) if fields(form) not in wanted]
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_form_is_of_this_catalogue(language: str) -> None:
    file = catalogues.po_file(language)
    assert file.with_suffix(".mo").read_bytes() == catalogues.compiled(catalogues.read(language))


@pytest.mark.parametrize("language", OTHERS)
def test_the_pages_catalogue_is_of_this_one(language: str) -> None:
    wanted = catalogues.page_catalogue(catalogues.read(language))
    assert catalogues.page_file(language).read_bytes() == wanted, "run ./dev translate"


@pytest.mark.parametrize("script", catalogues.scripts(), ids=lambda path: path.name)
def test_every_call_in_the_page_says_a_text_that_is_found(script: Path) -> None:
    source = script.read_text("utf-8")
    if script.name == "texts.js":
        return  # where they are made
    calls = re.findall(r"\b(?:say|count)\(", source)
    assert len(calls) == len(list(catalogues.texts_of_script(source)))


def test_texts_are_found_in_scripts() -> None:
    source = (
        'say("one \\"x\\"");\nsay(\n  "two {name}",\n  { name },\n);\n'
        'count("{number} a", "{number} b", 3)\nsay(text)\nessay("none")\n'
    )
    found = {'one "x"', "two {name}", ("{number} a", "{number} b")}
    assert set(catalogues.texts_of_script(source)) == found


def test_texts_are_found_where_they_stand() -> None:
    source = (
        "say('one {x}', x=1)\ncount('{number} a', '{number} b', 3)\n"
        "raise NotFound('none')\nraise StoreError(f'broken: {why}')\nraise Malformed('a stranger')\n"
        "@group.command()\ndef act():\n    '''Do it.\n\n    Well.\n    '''\n"
        "@contextmanager\ndef other():\n    '''No help.'''\n"
    )
    found = {"one {x}", ("{number} a", "{number} b"), "none", "broken", "Do it.\n\nWell."}
    assert set(catalogues.texts_of(source)) == found


SPEAK = """
from skvoz.base.errors import StoreError
from skvoz.texts import choose_language, count, explain, say
choose_language("ru")
print(say("sent"))
for number in (1, 3, 5, 21):
    print(count("{number} new", "{number} new", number))
print(say("says {name}", name="{curly}"))
print(explain(StoreError("the disk is full")))
print(explain(StoreError("the key file can't be written: No space left on device")))
print(explain(StoreError("said by nobody")))
"""


def test_russian_is_spoken_with_its_plurals(tmp_path: Path) -> None:
    # In a process of its own: the language is chosen once.
    said = subprocess.run([sys.executable, "-c", SPEAK], capture_output=True, check=True, cwd=tmp_path)
    assert said.stdout.decode().splitlines() == [
        "отправлено",
        "1 новое",
        "3 новых",
        "5 новых",
        "21 новое",
        "называет себя {curly}",
        "диск полон",
        "файл ключа не записать: на диске нет места",
        "said by nobody",
    ]
