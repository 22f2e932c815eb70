"""An opinion comes out of the judge's process as it went in."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import ndpi
from lab.ndpi import Opinion


def test_opinions_are_told_and_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = SimpleNamespace(
        dst_ip="203.0.113.80",
        dst_port=443,
        application_name="TLS",
        application_category_name="Web",
        requested_server_name="decoy.clean.example",
        application_is_guessed=0,
    )

    def judged(**_: object) -> list[SimpleNamespace]:
        return [flow]

    def ran(*_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(stdout=told)

    monkeypatch.setitem(sys.modules, "nfstream", SimpleNamespace(NFStreamer=judged))
    ndpi.main("all.pcap")
    told = capsys.readouterr().out
    monkeypatch.setattr("lab.ndpi.subprocess.run", ran)
    assert ndpi.opinions(Path("all.pcap")) == [
        Opinion(
            far="203.0.113.80",
            port=443,
            protocol="TLS",
            category="Web",
            name="decoy.clean.example",
            is_guess=False,
        )
    ]
