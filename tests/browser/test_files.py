"""Files on the page: attached, sent, fetched, seen large; and what files must not do."""

import base64
import io
import re
import wave
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from skvoz.client.file_names import harmless_name
from tests.browser.people import RestartableRelay, Visitor, meet
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
WHERE: Final = b"canary: 48 deg 51' 24'' N"
"""Stands for the place that a camera writes into a picture."""
HOSTILE: Final = "<img src=x onerror=document.title='run'>.svg"
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="run"</script></svg>'


def jpeg(page: Page, colour: str, side: int = 900) -> bytes:
    """Return a photograph as a camera makes it, with a place in it."""
    drawn = page.evaluate(
        """async ([colour, side]) => {
          const canvas = new OffscreenCanvas(side, side / 2);
          const context = canvas.getContext("2d");
          context.fillStyle = colour;
          context.fillRect(0, 0, side, side);
          const blob = await canvas.convertToBlob({ type: "image/jpeg" });
          return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
        }""",
        [colour, side],
    )
    plain = base64.b64decode(drawn)
    exif = b"Exif\0\0" + WHERE
    return plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]


def bring(page: Page, way: str, name: str, media_type: str, content: bytes) -> None:
    """Paste a file, or drop it on the chat."""
    page.evaluate(
        """([way, name, type, content]) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], name, { type }));
          const named = way === "paste" ? { clipboardData: data } : { dataTransfer: data };
          const event = way === "paste" ? ClipboardEvent : DragEvent;
          const told = new event(way, { ...named, bubbles: true, cancelable: true });
          document.querySelector("textarea").dispatchEvent(told);
        }""",
        [way, name, media_type, base64.b64encode(content).decode()],
    )


def attached(page: Page) -> Locator:
    return page.get_by_role("list", name="Attached").get_by_role("listitem")


def send(page: Page) -> None:
    """Send what is attached, once it is ready."""
    page.get_by_role("button", name="Send", exact=True).click()
    expect(attached(page)).to_have_count(0)


def bytes_of(page: Page, address: str) -> tuple[dict[str, str], bytes]:
    """Ask the node for what is at an address of a file, as the page would."""
    headers, content = page.evaluate(
        """async (address) => {
          const answer = await fetch(address);
          const bytes = new Uint8Array(await answer.arrayBuffer());
          const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
          return [Object.fromEntries(answer.headers), btoa(letters)];
        }""",
        address,
    )
    return headers, base64.b64decode(content)


def test_pictures_are_drawn_anew_fetched_on_demand_and_seen_large(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    here, there = anna.page, boris.page
    with here.expect_file_chooser() as choosing:
        here.get_by_role("button", name="Attach files").click()
    red = jpeg(here, "red")
    assert WHERE in red
    choosing.value.set_files([{"name": "red.jpg", "mimeType": "image/jpeg", "buffer": red}])
    expect(attached(here)).to_contain_text("red.webp")
    bring(here, "paste", "blue.jpg", "image/jpeg", jpeg(here, "blue"))
    expect(attached(here)).to_have_count(2)
    look_at(here, "attached")
    here.get_by_label("Message", exact=True).fill("two colours")
    send(here)
    boris.sees("two colours")
    expect(there.get_by_role("log").get_by_role("article")).to_have_count(2)
    expect(here.get_by_role("button", name="Picture red.webp")).to_be_visible()
    look_at(there, "pictures that came")

    # Nothing has been fetched, and the place of the picture is as large as it will be.
    red_there = there.get_by_role("button", name="Fetch the picture red.webp")
    image = red_there.locator("img")
    expect(image).to_have_attribute("width", "320")
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [320, 160]
    assert not [url for url in boris.asked if "/files/" in url]
    red_there.click()
    viewer = there.get_by_role("dialog", name="Picture")
    large = viewer.get_by_role("img", name="red.webp")
    large.wait_for()
    assert large.evaluate("image => image.decode().then(() => image.naturalWidth)") == 900
    headers, content = bytes_of(there, str(large.get_attribute("src")))
    assert headers["content-type"] == "image/webp"
    assert content[8:12] == b"WEBP"
    assert WHERE not in content
    expect(viewer).to_contain_text("1 of 2")
    there.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("2 of 2")
    fetch = viewer.get_by_role("button", name="Fetch, ")
    look_at(there, "a picture that was not fetched, large")
    fetch.click()
    viewer.get_by_role("img", name="blue.webp").wait_for()
    there.keyboard.press("ArrowRight")
    there.keyboard.press("ArrowLeft")
    large.wait_for()
    look_at(there, "a picture, large")
    there.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    focus = there.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focus.startswith("Picture red.webp")


def test_documents_keep_to_their_place(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    here, there = anna.page, boris.page
    bring(here, "drop", "../../x", "", b"words")
    bring(here, "drop", HOSTILE, "image/svg+xml", SVG)
    bring(here, "drop", "page.html", "text/html", b"<script>document.title='run'</script>")
    bring(here, "drop", "torn.jpg", "image/jpeg", b"\xff\xd8\xff\xe0 no picture at all")
    bring(here, "drop", "unwanted", "text/plain", b"-")
    rows = attached(here)
    expect(rows).to_have_count(5)
    # The node's name for it takes the place of the browser's once it has the file.
    expect(rows.nth(1)).to_contain_text(harmless_name(HOSTILE))
    expect(rows.nth(3)).to_contain_text("goes as it is: it may tell where and when it was taken")
    here.get_by_role("button", name="Remove unwanted").click()
    expect(rows).to_have_count(4)
    send(here)
    files = there.get_by_role("list", name="Files").get_by_role("listitem")
    expect(files).to_have_count(4)
    expect(files.nth(0)).to_contain_text("5 byte")
    look_at(there, "documents")
    with there.expect_download() as downloading:
        files.nth(0).get_by_role("button", name="Download").click()
    saved = downloading.value
    assert re.fullmatch(r"[\w.]*x", saved.suggested_filename)
    assert Path(saved.path()).read_bytes() == b"words"
    for number, content in ((1, SVG), (2, b"<script>document.title='run'</script>")):
        expect(files.nth(number).get_by_role("button")).to_have_count(1)
        with there.expect_download() as downloading:
            files.nth(number).get_by_role("button", name="Download").click()
        assert Path(downloading.value.path()).read_bytes() == content
        headers, _ = bytes_of(there, downloading.value.url)
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment")
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
    assert there.locator("article img, article svg script").count() == 0
    there.get_by_label("Search", exact=True).fill("page")
    results = there.get_by_role("region", name="What was found").get_by_role("button")
    expect(results).to_have_count(1)
    expect(results).to_contain_text("page.html")
    there.get_by_label("Search", exact=True).press("Escape")

    files.nth(3).get_by_role("button", name="Fetch torn.jpg").click()
    files.nth(3).get_by_role("button", name="Show torn.jpg").click()
    viewer = there.get_by_role("dialog", name="Picture")
    expect(viewer).to_contain_text("This picture can't be shown.")
    look_at(there, "a torn picture, large")
    viewer.get_by_role("button", name="Close").click()
    expect(viewer).to_have_count(0)
    for page in (here, there):
        assert page.title().endswith("Skvoz")


def test_an_upload_goes_on_through_reloads_holds_and_a_relay_that_dies(
    visit: Visit, running_relay: RestartableRelay
) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    content = bytes(range(256)) * 4096 * 24
    bring(page, "drop", "long.bin", "", content[:1024])
    running_relay.kill()
    big = anna.folder.parent / "big.bin"
    big.write_bytes(content)
    page.locator("input[type=file]").set_input_files(str(big))
    expect(attached(page).nth(1)).to_contain_text("MB")
    page.get_by_label("Message", exact=True).fill("both at once")
    send(page)
    files = page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(files).to_have_count(2)
    page.get_by_role("button", name="Hold big.bin").click()
    expect(files.nth(1)).to_contain_text("Held at")
    look_at(page, "files on their way")
    running_relay.start()
    expect(page.get_by_role("button", name="Hold long.bin")).to_have_count(0)
    page.reload()
    expect(files.nth(1)).to_contain_text("Held at")
    page.get_by_role("button", name="Go on with big.bin").click()
    page.reload()
    boris.sees("both at once")
    there = boris.page
    there.get_by_role("button", name="Download big.bin").wait_for()
    with there.expect_download() as downloading:
        there.get_by_role("button", name="Download big.bin").click()
    assert Path(downloading.value.path()).read_bytes() == content
    expect(page.get_by_role("button", name="Don't send")).to_have_count(0)

    # What was not sent yet can be taken back.
    running_relay.kill()
    bring(page, "drop", "regretted.bin", "", b"1" * 1000)
    send(page)
    page.get_by_role("button", name="Don't send").click()
    expect(files).to_have_count(2)
    running_relay.start()
    anna.write("after it")
    boris.sees("after it")
    expect(there.get_by_role("log")).not_to_contain_text("regretted")


def test_sounds_play_and_their_room_is_given_back(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    recorded = io.BytesIO()
    with wave.open(recorded, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 8000)
    bring(anna.page, "paste", "song.wav", "audio/wav", recorded.getvalue())
    send(anna.page)
    page = boris.page
    page.get_by_role("button", name="Fetch song.wav").click()
    expect(page.locator("audio")).to_have_js_property("duration", 1)
    look_at(page, "a sound")
    bubble = page.get_by_role("log").get_by_role("article").last
    bubble.hover()
    bubble.get_by_role("button", name="What to do with this message").click()
    page.get_by_role("menuitem", name="Free the room of its files").click()
    page.get_by_role("button", name="Fetch song.wav").wait_for()
    expect(page.locator("audio")).to_have_count(0)


def test_a_voice_is_recorded_and_heard(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    anna.context.grant_permissions(["microphone"])
    meet(anna, boris)
    here, there = anna.page, boris.page
    record = here.get_by_role("button", name="Record a voice message")
    record.click()
    expect(here.get_by_role("timer")).to_have_text("0:01")
    look_at(here, "recording")
    here.get_by_role("button", name="Throw away").click()
    expect(here.get_by_role("timer")).to_have_count(0)
    expect(attached(here)).to_have_count(0)
    record.click()
    expect(here.get_by_role("timer")).to_have_text("0:02")
    here.get_by_role("button", name="Done").click()
    expect(attached(here)).to_contain_text("Voice message.webm")
    send(here)
    there.get_by_role("button", name="Fetch Voice message.webm").click()
    voice = there.locator("skvoz-voice")
    place = voice.get_by_label("Place in the recording")
    expect(place).to_have_attribute("aria-valuetext", re.compile(r"0:00 of 0:0[2-9]"))
    voice.get_by_role("button", name="Speed: 1").click()
    voice.get_by_role("button", name="Speed: 1.5").wait_for()
    voice.get_by_role("button", name="Play").click()
    voice.get_by_role("button", name="Pause").wait_for()
    voice.get_by_role("button", name="Play").wait_for()
    look_at(there, "a voice")
    with there.expect_download() as downloading:
        voice.get_by_role("button", name="Download Voice message.webm").click()
    assert Path(downloading.value.path()).stat().st_size > 0


GIF: Final = base64.b64decode(
    "R0lGODlhAgACAIAAAP8AAAAA/yH/C05FVFNDQVBFMi4wAwEAAAAh+QQACgAAACwAAAAAAgACAAACAoRRADs="
)


def gif_with_a_place() -> bytes:
    """Return a moving picture with a comment, as a program for pictures may write one into it."""
    end_of_table = 13 + 6
    comment = b"\x21\xfe" + bytes([len(WHERE)]) + WHERE + b"\0"
    return GIF[:end_of_table] + comment + GIF[end_of_table:]


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def png_that_moves() -> bytes:
    """Return a picture of two frames, with a place in it."""
    frame = zlib.compress(b"\0\xff\0\0")
    control = (1).to_bytes(4) * 2 + bytes(8) + (1).to_bytes(2) + (10).to_bytes(2) + b"\0\0"
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", (1).to_bytes(4) * 2 + bytes((8, 2, 0, 0, 0))),
            chunk(b"acTL", (2).to_bytes(4) + bytes(4)),
            chunk(b"eXIf", WHERE),
            chunk(b"tEXt", b"Comment\0" + WHERE),
            chunk(b"fcTL", bytes(4) + control),
            chunk(b"IDAT", frame),
            chunk(b"fcTL", (1).to_bytes(4) + control),
            chunk(b"fdAT", (2).to_bytes(4) + frame),
            chunk(b"IEND", b""),
        )
    )


def webp_that_moves(page: Page) -> bytes:
    """Return a picture of one frame that says that it moves, with a place in it."""
    drawn = page.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(2, 2);
          canvas.getContext("2d").fillRect(0, 0, 1, 1);
          const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.5 });
          return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
        }"""
    )
    still = base64.b64decode(drawn)
    at = still.index(b"VP8 ") if b"VP8 " in still else still.index(b"VP8L")
    image = still[at:]

    def part(kind: bytes, data: bytes) -> bytes:
        return kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) & 1)

    size = (1).to_bytes(3, "little") * 2
    frame = bytes(6) + size + (100).to_bytes(3, "little") + b"\0" + image
    body = b"WEBP" + part(b"VP8X", bytes((0x02 | 0x08, 0, 0, 0)) + size) + part(b"ANIM", bytes(6))
    body += part(b"ANMF", frame) + part(b"EXIF", WHERE)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def latest_bytes(page: Page, name: str) -> bytes:
    """Return the bytes of the file with this name, as the node gives them out."""
    page.get_by_role("button", name=f"Picture {name}").last.click()
    shown = page.get_by_role("dialog", name="Picture").get_by_role("img", name=name)
    shown.wait_for()
    _, content = bytes_of(page, str(shown.get_attribute("src")))
    page.keyboard.press("Escape")
    return content


def test_what_moves_goes_on_moving_and_does_not_tell_where_it_was_made(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    png, webp = png_that_moves(), webp_that_moves(page)
    bring(page, "paste", "wave.gif", "image/gif", gif_with_a_place())
    bring(page, "paste", "wave.png", "image/png", png)
    bring(page, "paste", "wave.webp", "image/webp", webp)
    expect(attached(page)).to_have_count(3)
    expect(page.get_by_text("goes as it is")).to_have_count(0)
    send(page)
    assert latest_bytes(page, "wave.gif") == GIF
    clean = png
    for kind, data in ((b"eXIf", WHERE), (b"tEXt", b"Comment\0" + WHERE)):
        clean = clean.replace(chunk(kind, data), b"")
    assert latest_bytes(page, "wave.png") == clean
    moving = latest_bytes(page, "wave.webp")
    assert WHERE not in moving
    assert moving[20] == 0x02
    assert int.from_bytes(moving[4:8], "little") == len(moving) - 8
    assert b"ANMF" in moving


def test_an_original_goes_only_where_somebody_says_so(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    original = jpeg(page, "red")
    bring(page, "paste", "red.jpg", "image/jpeg", original)
    row = attached(page)
    row.get_by_role("button", name="Send the original").click()
    expect(row).to_contain_text("red.jpg")
    expect(row).to_contain_text("may tell where and when it was taken")
    look_at(page, "an original")
    row.get_by_role("button", name="Leave that out").click()
    expect(row).to_contain_text("red.webp")
    row.get_by_role("button", name="Send the original").click()
    row.get_by_role("button", name="Leave that out").wait_for()
    send(page)
    assert latest_bytes(page, "red.jpg") == original


def test_a_film_has_a_face_before_it_is_fetched(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    here, there = anna.page, boris.page
    film = here.evaluate(
        """async () => {
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [320, 240];
          const context = canvas.getContext("2d");
          const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
          const pieces = [];
          recorder.ondataavailable = ({ data }) => pieces.push(data);
          recorder.start(100);
          // A machine that is busy paints late: twenty steps, and on until there are pictures in it.
          const size = () => pieces.reduce((sum, piece) => sum + piece.size, 0);
          for (let step = 0; step < 20 || (size() < 2000 && step < 400); step++) {
            context.fillStyle = step % 2 ? "red" : "green";
            context.fillRect(0, 0, 320, 240);
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          const ended = new Promise((resolve) => { recorder.onstop = resolve; });
          recorder.stop();
          await ended;
          const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
          return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }"""
    )
    bring(here, "drop", "lake.webm", "video/webm", base64.b64decode(film))
    expect(attached(here).locator("img")).to_have_count(1)
    # What a camera wrote into a film stays, and that is said.
    expect(attached(here)).to_contain_text("may tell where and when it was taken")
    send(here)
    face = there.get_by_role("button", name="Fetch the film lake.webm")
    expect(face.locator("img")).to_have_attribute("width", "320")
    assert not [url for url in boris.asked if "/files/" in url]
    look_at(there, "a film that was not fetched")
    face.click()
    expect(there.locator("video")).to_have_js_property("videoWidth", 320)
    assert str(there.locator("video").get_attribute("poster")).startswith("data:image/")
    look_at(there, "a film")
