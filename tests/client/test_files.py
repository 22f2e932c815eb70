"""What the machine decides about files, and how they become bytes, without moving any."""

from itertools import pairwise
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import pytest

from skvoz.base.errors import BadRequest, Conflict, DecryptFailed, NotFound
from skvoz.base.limits import BLOB_SIZE_MAX, CHUNK_SIZES, FILE_SIZE_MAX
from skvoz.client import effects, inputs
from skvoz.client.chosen_files import STAGED_KEPT_MS
from skvoz.client.commands import (
    AttachFile,
    DeleteMessage,
    FetchFile,
    FileToSend,
    ForgetFile,
    PauseFile,
    SendMessage,
    StageFile,
)
from skvoz.client.file_names import harmless_name, harmless_type
from skvoz.client.records import Conversation, File, FileState, HeldMessage, Message, MessageState
from skvoz.client.sealed_files import ChunkCipher, Layout, blob_read_key, layout_for, padded_count
from skvoz.content import FILES_MAX, THUMBNAIL_SIZE_MAX
from tests.client.fake_relay import Device
from tests.client.people_world import friends, say

MIB = 1024 * 1024


def staged(device: Device, number: int = 0, **changes: Any) -> bytes:
    file_id = bytes([number]) * 16
    fields: dict[str, Any] = {
        "file_id": file_id,
        "file_key": bytes(32),
        "size": 100,
        "sha256": bytes(32),
        "chunk_size": CHUNK_SIZES[0],
        "name": "a.jpg",
        "media_type": "image/jpeg",
    }
    device.do(lambda client_id: StageFile(client_id=client_id, **(fields | changes)))
    return file_id


def sent(device: Device, chat_id: bytes, *file_ids: bytes, text: str = "") -> None:
    files = tuple(FileToSend(file_id=one) for one in file_ids)
    device.do(lambda client_id: SendMessage(client_id=client_id, chat_id=chat_id, text=text, files=files))


def texts(device: Device, chat_id: bytes) -> list[str]:
    found = [one for one in device.all(Message) if one.chat_id == chat_id]
    return [one.text for one in sorted(found, key=lambda one: one.sequence)]


def uploads(device: Device) -> list[bytes]:
    return [one.file_id for one in device.moved if isinstance(one, effects.Upload)]


def refuse(device: Device, file_id: bytes, code: str, retry_after_ms: int = 0) -> None:
    device.handle(inputs.TransferRefused(file_id=file_id, code=code, retry_after_ms=retry_after_ms))


def done(device: Device, file_id: bytes) -> None:
    device.handle(inputs.UploadDone(file_id=file_id))
    device.world.settle()


def test_a_message_waits_for_all_its_files_and_nothing_waits_for_it() -> None:
    world, anna, boris = friends("hello")
    to_boris, to_anna = boris.account_id, anna.account_id
    one, two = staged(anna, 1), staged(anna, 2)
    sent(anna, to_boris, one, two, text="album")
    say(anna, to_boris, "later")
    assert uploads(anna) == [one, two]
    assert texts(boris, to_anna) == ["hello", "later"]
    done(anna, two)
    done(anna, two)
    assert texts(boris, to_anna) == ["hello", "later"]
    done(anna, one)
    assert texts(boris, to_anna) == ["hello", "later", "album"]
    assert not anna.all(HeldMessage)
    files = sorted(boris.all(File), key=lambda file: file.number)
    assert [(file.number, file.state) for file in files] == [(0, FileState.REMOTE), (1, FileState.REMOTE)]
    assert not boris.moved, "nothing is fetched by itself"
    world.advance(60_000)


def test_what_is_unfinished_is_taken_up_after_a_start_and_what_is_held_is_not() -> None:
    _, anna, boris = friends("hello")
    one, two = staged(anna, 1), staged(anna, 2)
    sent(anna, boris.account_id, one)
    sent(anna, boris.account_id, two)
    anna.do(lambda client_id: PauseFile(client_id=client_id, file_id=two))
    anna.moved.clear()
    anna.restart()
    anna.world.settle()
    assert uploads(anna) == [one]
    anna.do(lambda client_id: PauseFile(client_id=client_id, file_id=two, paused=False))
    assert uploads(anna) == [one, two]


def test_a_message_keeps_the_harmless_names_of_its_files_until_it_is_deleted() -> None:
    world, anna, boris = friends("hello")
    file_id = staged(anna, name="../bill.pdf")
    sent(anna, boris.account_id, file_id, text="x")
    done(anna, file_id)
    for device in (anna, boris):
        [message] = [one for one in device.all(Message) if one.file_count]
        assert message.file_names == (harmless_name("../bill.pdf"),)
    [said] = [one.message_id for one in anna.all(Message) if one.file_count]
    anna.do(lambda client_id: DeleteMessage(client_id=client_id, message_id=said))
    world.settle()
    for device in (anna, boris):
        [message] = [one for one in device.all(Message) if one.message_id == said]
        assert (message.deleted, message.file_names) == (True, ())


def test_refusals_are_repeated_a_while_and_then_the_message_has_failed() -> None:
    world, anna, boris = friends("hello")
    file_id = staged(anna)
    sent(anna, boris.account_id, file_id, text="x")
    for _ in range(9):
        refuse(anna, file_id, "denied")
        world.advance(60_000)
    assert len(uploads(anna)) == 10
    [message] = [one for one in anna.all(Message) if one.text == "x"]
    assert message.state is MessageState.QUEUED
    refuse(anna, file_id, "denied")
    [message] = [one for one in anna.all(Message) if one.text == "x"]
    assert (message.state, message.failure) == (MessageState.FAILED, "relay_refused")
    done(anna, file_id)
    assert texts(boris, anna.account_id) == ["hello"], "what comes too late changes nothing"


def test_a_full_relay_is_tried_for_as_long_as_it_takes() -> None:
    world, anna, boris = friends("hello")
    file_id = staged(anna)
    sent(anna, boris.account_id, file_id)
    for _ in range(30):
        refuse(anna, file_id, "full")
        assert [file.failure for file in anna.all(File)] == ["relay_full"]
        world.advance(61_000)
    assert len(uploads(anna)) == 31
    done(anna, file_id)
    assert [file.failure for file in anna.all(File)] == [""]
    assert len(boris.all(File)) == 1


def test_the_newest_key_is_used_after_a_commit() -> None:
    world, anna, boris = friends("hello")
    file_id = staged(anna)
    sent(anna, boris.account_id, file_id)
    [group] = [one for one in anna.all(Conversation) if one.chat_id == boris.account_id]
    refuse(anna, file_id, "superseded")
    world.advance(8 * 24 * 3600 * 1000)
    say(anna, boris.account_id, "makes an update due")
    world.advance(10_000)
    refuse(anna, file_id, "superseded")
    world.advance(10_000)
    latest = [one for one in anna.moved if isinstance(one, effects.Upload)][-1]
    assert latest.segment_key == anna.conversation(group.group_id).segment_key


def test_what_can_not_be_sent_is_refused() -> None:
    _, anna, boris = friends("hello")
    chat_id = boris.account_id
    with pytest.raises(NotFound):
        sent(anna, chat_id, b"?" * 16)
    file_id = staged(anna)
    with pytest.raises(BadRequest, match="each once"):
        sent(anna, chat_id, file_id, file_id)
    with pytest.raises(BadRequest, match="16 files"):
        sent(anna, chat_id, *[staged(anna, number) for number in range(17)])
    with pytest.raises(BadRequest, match="4,096"):
        sent(anna, chat_id, text=" ")
    with pytest.raises(BadRequest, match="4,096"):
        sent(anna, chat_id, file_id, text="x" * 4097)
    sent(anna, chat_id, file_id)
    with pytest.raises(Conflict, match="already"):
        sent(anna, chat_id, file_id)
    wrongs: list[dict[str, Any]] = [
        {"size": -1},
        {"size": FILE_SIZE_MAX + 1},
        {"chunk_size": 1},
        {"file_id": b"short"},
    ]
    for wrong in wrongs:
        with pytest.raises(BadRequest):
            staged(anna, **wrong)


def test_fetching_names_the_blob_once_asked() -> None:
    _, anna, boris = friends("hello")
    file_id = staged(anna, name="../../x", media_type="Image/JPEG; x=y")
    sent(anna, boris.account_id, file_id)
    done(anna, file_id)
    [file] = boris.all(File)
    assert (file.name, file.media_type) == ("x", "image/jpeg")
    boris.do(lambda client_id: FetchFile(client_id=client_id, file_id=file.file_id))
    [download] = [one for one in boris.moved if isinstance(one, effects.Download)]
    [upload] = [one for one in anna.moved if isinstance(one, effects.Upload)]
    assert (download.blob_id, download.file_key, download.size) == (upload.blob_id, upload.file_key, 100)
    for code, failure in (("denied", "file_gone"), ("damaged", "file_damaged"), ("disk_full", "disk_full")):
        refuse(boris, file.file_id, code)
        [file] = boris.all(File)
        assert (file.state, file.failure) == (FileState.REMOTE, failure)
        boris.do(lambda client_id: FetchFile(client_id=client_id, file_id=file.file_id))  # noqa: B023
    boris.handle(inputs.DownloadDone(file_id=file.file_id))
    [file] = boris.all(File)
    assert (file.state, file.failure) == (FileState.HERE, "")


# Bytes


def test_a_blob_tells_little_of_a_files_size() -> None:
    assert [padded_count(n) for n in (1, 2, 3, 4, 5, 8, 9, 15, 17, 33, 256, 257)] == (
        [1, 2, 3, 4, 5, 8, 10, 16, 18, 36, 256, 272]
    )
    counts = [padded_count(number) for number in range(1, 2_000)]
    assert all(before <= after for before, after in pairwise(counts))
    assert all(number <= count <= number * 9 / 8 + 1 for number, count in enumerate(counts, 1))
    assert layout_for(FILE_SIZE_MAX).blob_bytes == BLOB_SIZE_MAX
    with pytest.raises(BadRequest):
        layout_for(FILE_SIZE_MAX + 1)


@pytest.mark.parametrize(
    ("size", "chunk", "count"),
    [
        (0, 0, 1),
        (1, 0, 1),
        (65_536, 0, 1),
        (65_537, 0, 2),
        (MIB, 0, 16),
        (MIB + 1, 1, 5),
        (4 * MIB, 1, 16),
        (16 * MIB, 2, 16),
        (16 * MIB + 1, 3, 5),
        (1024 * MIB, 3, 256),
    ],
)
def test_small_files_have_small_chunks(size: int, chunk: int, count: int) -> None:
    layout = layout_for(size)
    assert (layout.chunk_size, layout.chunk_count) == (CHUNK_SIZES[chunk], count)


def test_chunks_open_in_their_place_only_and_the_last_one_is_marked() -> None:
    layout = Layout(size=9 * 65_536 - 5, chunk_size=CHUNK_SIZES[0])
    cipher = ChunkCipher(key=bytes(32), layout=layout)
    assert (layout.file_chunks, layout.chunk_count) == (9, 10)
    chunks = [
        bytes(cipher.seal(number, bytes([number]) * layout.plain_size_of(number))) for number in range(10)
    ]
    assert [len(chunk) for chunk in chunks] == [CHUNK_SIZES[0]] * 10
    assert b"".join(bytes(cipher.open(number, chunk)) for number, chunk in enumerate(chunks)) == b"".join(
        bytes([number]) * layout.plain_size_of(number) for number in range(10)
    )
    for number, chunk in ((0, chunks[1]), (9, chunks[8]), (0, chunks[0][:-1]), (0, chunks[0] + b"x")):
        with pytest.raises(DecryptFailed):
            cipher.open(number, chunk)
    shorter = ChunkCipher(key=bytes(32), layout=Layout(size=8 * 65_536, chunk_size=CHUNK_SIZES[0]))
    with pytest.raises(DecryptFailed):
        shorter.open(7, chunks[7])  # what ends there is another file
    assert blob_read_key(bytes(32)) != bytes(32)


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("лето 2026.jpg", "лето 2026.jpg"),
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("..", "file"),
        ("", "file"),
        (" . ", "file"),
        (".bashrc", "bashrc"),
        ("a\x00b\nc.txt", "abc.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("con", "file-con"),
        ("COM1.txt", "file-COM1.txt"),
        ('a<b>:"|?*.txt', "ab.txt"),
        ("x" * 300 + ".tar", "x" * 156 + ".tar"),
        ("я" * 300, "я" * 80),
        ("e\u0301.txt", "\u00e9.txt"),
        ("trailing. . ", "trailing"),
        ("e\u200b\u0301.txt", "\u00e9.txt"),
        ("x" * 159 + " " + "y" * 50, "x" * 159),
        ("x" * 155 + " " + "y" * 50 + ".tar", "x" * 155 + ".tar"),
    ],
)
def test_names_are_made_harmless(name: str, harmless: str) -> None:
    made = harmless_name(name)
    assert made == harmless == harmless_name(made)
    assert PurePosixPath(made).name == PureWindowsPath(made).name == made


def test_types_are_made_harmless() -> None:
    assert harmless_type("Image/PNG") == "image/png"
    assert harmless_type("text/plain; charset=utf-8") == "text/plain"
    for wrong in ("", "png", "image/", "/png", "a/b/c", "image/png\r\nx: y", "im age/png", "x" * 65 + "/y"):
        assert harmless_type(wrong) == "application/octet-stream"


def attached(device: Device, chat_id: bytes, **changes: Any) -> bytes:
    fields: dict[str, Any] = {"chat_id": chat_id, "name": "../a.jpg", "media_type": "image/jpeg", "size": 100}
    answer = device.do(lambda client_id: AttachFile(client_id=client_id, **(fields | changes)))
    assert answer.file_id is not None
    return answer.file_id


def test_what_is_attached_waits_for_its_bytes_and_then_for_its_message() -> None:
    _, anna, boris = friends("hello")
    to_boris = boris.account_id
    file_id = attached(anna, to_boris)
    with pytest.raises(Conflict, match="not come yet"):
        sent(anna, to_boris, file_id)
    attached(anna, to_boris, file_id=file_id, width=3, thumbnail=b"small", thumbnail_type="image/webp")
    (file,) = anna.all(File)
    assert (file.state, file.name, file.width, file.chat_id) == (FileState.AWAITED, "a.jpg", 3, to_boris)
    staged(anna, file_id=file_id, is_attached=True)
    (file,) = anna.all(File)
    assert (file.state, file.width, file.chat_id) == (FileState.STAGED, 3, to_boris)
    # Its bytes come once.
    with pytest.raises(Conflict, match="here already"):
        staged(anna, file_id=file_id, is_attached=True)
    sent(anna, to_boris, file_id)
    (file,) = anna.all(File)
    assert (file.state, file.chat_id) == (FileState.UPLOADING, b"")
    with pytest.raises(Conflict, match="a message already"):
        attached(anna, to_boris, file_id=file_id)


def test_what_is_attached_goes_when_it_is_removed_or_never_sent() -> None:
    world, anna, boris = friends("hello")
    to_boris = boris.account_id
    first = attached(anna, to_boris)
    anna.do(lambda client_id: ForgetFile(client_id=client_id, file_id=first))
    with pytest.raises(NotFound, match="not attached any more"):
        staged(anna, file_id=first, is_attached=True)
    for _ in range(FILES_MAX):
        attached(anna, to_boris)
    with pytest.raises(BadRequest, match="16 files"):
        attached(anna, to_boris)
    with pytest.raises(BadRequest, match="2 GiB"):
        attached(anna, to_boris, size=2 * 1024**3 + 1)
    with pytest.raises(BadRequest, match="16 KiB"):
        attached(anna, to_boris, thumbnail=bytes(THUMBNAIL_SIZE_MAX + 1))
    with pytest.raises(NotFound, match="no such chat"):
        attached(anna, b"nobody")
    world.advance(STAGED_KEPT_MS)
    assert anna.all(File) == []
