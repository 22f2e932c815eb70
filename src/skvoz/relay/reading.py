"""Reads what a session may see."""

from skvoz.relay.ports import LogReader
from skvoz.relay.seam import ReadAnswer, ReadRequest


def read(reader: LogReader, request: ReadRequest) -> ReadAnswer:
    """Read a slice of a log for a session; the answer may reach less far than was asked."""
    raise NotImplementedError
