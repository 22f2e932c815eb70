import asyncio
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from skvoz.api.descriptions import EVENTS, NOTIFICATIONS, asyncapi, files, openrpc
from skvoz.api.methods import COMMANDS, METHODS
from skvoz.api.protocol import KINDS
from skvoz.api.typescript import typescript
from tests.api.programs import served
from tests.node.people import world

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "api"


def walk(value: object) -> Iterator[dict[str, Any]]:
    """Yield all objects of a document."""
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        yield found
        for inner in found.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from walk(inner)


def resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for part in reference[2:].split("/"):
        document = document[part]
    return document


def test_the_written_descriptions_are_what_the_types_say() -> None:
    for name, text in files().items():
        assert (FOLDER / name).read_bytes() == text, "run ./dev describe"


def test_the_pages_types_are_what_the_descriptions_say() -> None:
    written = FOLDER.parents[1] / "src" / "skvoz" / "web" / "types" / "api.d.ts"
    assert written.read_text("utf-8") == typescript(), "run ./dev describe"
    assert typescript().count(": unknown") == 1  # an event is of any kind


@pytest.mark.parametrize("document", [openrpc(), asyncapi()], ids=["openrpc", "asyncapi"])
def test_every_reference_leads_somewhere_and_nothing_is_left_over(document: dict[str, Any]) -> None:
    references = {found["$ref"] for found in walk(document) if "$ref" in found}
    for reference in references:
        resolve(document, reference)
    unused = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]} - references
    assert unused == set()


def test_every_method_is_described_with_what_it_wants_and_answers() -> None:
    methods = {method["name"]: method for method in openrpc()["methods"]}
    assert set(methods) == set(METHODS)
    for name, method in methods.items():
        assert re.fullmatch(r"[A-Z].*[.]", method["summary"]), name
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
        fields = {field.name: field.required for field in msgspec.structs.fields(METHODS[name].params)}
        assert {param["name"]: param["required"] for param in method["params"]} == fields
        assert (name in COMMANDS) == fields.get("client_id", False)
        schema = resolve(openrpc(), method["result"]["schema"]["$ref"])
        assert schema["type"] == "object"


def test_every_kind_of_event_and_error_is_described() -> None:
    messages = asyncapi()["components"]["messages"]
    for name, (kind, _) in NOTIFICATIONS.items():
        told = messages.pop(name)["payload"]["properties"]
        assert told["method"] == {"const": name}
        assert told["params"] == {"$ref": f"#/components/schemas/{kind.__name__}"}
    assert set(messages) == {event.kind for event in EVENTS}
    assert len(messages) == len(EVENTS)
    for kind, message in messages.items():
        assert message["summary"].endswith(".")
        told = message["payload"]["properties"]["params"]["properties"]
        assert told["kind"] == {"const": kind}
    assert set(openrpc()["components"]["errors"]) == set(KINDS.values())


@pytest.mark.slow
def test_the_bot_of_the_page_repeats_every_message_once_however_often_it_is_killed(tmp_path: Path) -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    folder = tmp_path / "bot"
    folder.mkdir()

    async def bot(home: Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, cwd=folder, env={"SKVOZ_HOME": str(home)}
        )

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris, "hello")
            to_anna, expected = await anna.account_id(), ["hello"]
            async with served(anna):
                for text in ("hello", "two", "three"):
                    running = await bot(anna.folder)
                    try:
                        if text != "hello":
                            await boris.send(to_anna, text)
                            expected.append(text)
                        expected.append(text)
                        await boris.wait_for(to_anna, expected)
                    finally:
                        running.send_signal(signal.SIGKILL)
                        await running.wait()
                    (folder / "seen").write_text("0")  # as if it had been killed before it kept the number

    asyncio.run(scenario())
