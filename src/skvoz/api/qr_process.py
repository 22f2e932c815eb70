"""A process that finds QR codes in pictures and, where the system allows that, can do nothing else.

    in:  width and height, 4 bytes each, big-endian; then a byte of brightness for each point, row by row
    out: the length of the text, 4 bytes; the text in UTF-8; a length of 0: there is no code

Pictures are of strangers' making and the library that looks at them is C++, so it does it away from the
node's keys: `skvoz.api.qr_codes` starts this, and ends it where it takes too long.
"""

import contextlib
import struct
import sys
from typing import BinaryIO, Final

SIZES: Final = struct.Struct(">II")
LENGTH: Final = struct.Struct(">I")
MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Addresses, most of them of Python itself: a picture takes some 10 MB."""


def give_up_rights() -> None:
    """Let this process open no file or connection, start no other, and take only so much memory."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # is not everywhere

    limits = {
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: MEMORY_BYTES_MAX,
    }
    for kind, most in limits.items():
        with contextlib.suppress(OSError, ValueError):  # a limit that this system does not know
            resource.setrlimit(kind, (most, most))


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer for one picture after the other, until there are no more."""
    # Here, so that the node, which imports this module for its sizes, never has the library in its memory.
    import zxingcpp  # noqa: PLC0415  # heavy, and its code is trusted only in here

    give_up_rights()
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    while len(sizes := asked.read(SIZES.size)) == SIZES.size:
        width, height = SIZES.unpack(sizes)
        picture = memoryview(asked.read(width * height)).cast("B", (height, width))
        found = zxingcpp.read_barcode(picture, formats=formats, text_mode=zxingcpp.TextMode.Plain)
        text = b"" if found is None else found.text.encode(errors="replace")
        answers.write(LENGTH.pack(len(text)) + text)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
