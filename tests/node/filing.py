"""Files with real nodes: putting them into homes, sending, fetching and looking at them."""

from collections.abc import Sequence

from skvoz.base.ids import MessageId
from skvoz.client.commands import FetchFile, FileToSend, SendMessage, StageFile
from skvoz.client.records import File, FileState
from skvoz.client.sealed_files import ChunkCipher, Layout
from tests.node.people import Person, client_id, until


async def put(person: Person, content: bytes, name: str = "фото.jpg") -> bytes:
    """Put a file into somebody's home and return its id."""
    putting = person.node.files.put(len(content))
    taken = 0
    try:
        while taken < len(content):
            taken += putting.write(content[taken:])
            if putting.chunk_is_full:
                putting.flush()
        sealed = putting.finish()
    finally:
        putting.give_up()
    await person.do(
        StageFile(
            client_id=client_id(),
            file_id=sealed.file_id,
            file_key=sealed.key,
            size=len(content),
            sha256=sealed.sha256,
            chunk_size=sealed.layout.chunk_size,
            name=name,
            media_type="image/jpeg",
        )
    )
    return sealed.file_id


async def send_files(person: Person, chat_id: bytes, contents: Sequence[bytes], text: str = "") -> MessageId:
    """Write a message with files."""
    files = tuple([FileToSend(file_id=await put(person, content)) for content in contents])
    wish = SendMessage(client_id=client_id(), chat_id=chat_id, text=text, files=files)
    answer = await person.do(wish)
    assert answer.message_id is not None
    return answer.message_id


async def files_of(person: Person, message_id: MessageId) -> list[File]:
    return sorted(await person.records(File, message_id=message_id), key=lambda file: file.number)


async def arrived(person: Person, message_id: MessageId) -> list[File]:
    """Wait until a message is there, and return its files."""
    return await until(lambda: files_of(person, message_id))


async def fetch(person: Person, file: File) -> None:
    await person.do(FetchFile(client_id=client_id(), file_id=file.file_id))


async def wait_for_state(person: Person, file: File, state: FileState, failure: str = "") -> File:
    async def look() -> File | None:
        found = await person.node.query(lambda queries: queries.file(file.file_id))
        return found if found is not None and (found.state, found.failure) == (state, failure) else None

    found = await until(look)
    assert found is not None
    return found


def content_of(person: Person, file: File) -> bytes:
    """Return the bytes of a file that is here."""
    layout = Layout(size=file.size, chunk_size=file.chunk_size)
    whole = person.node.files.whole(file.file_id, ChunkCipher(key=file.file_key, layout=layout))
    try:
        return b"".join(whole.plain(0, file.size))
    finally:
        whole.close()
