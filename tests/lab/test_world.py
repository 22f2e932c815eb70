"""A real world of namespaces: it begins, carries, blocks, and leaves nothing behind, nor after a crash."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lab import namespaces
from lab.places import SUSPICIOUS
from lab.world import TOP, World, why_not

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def namespaces_are_here() -> None:
    if reason := why_not():
        pytest.skip(reason)


def echoed(address: str, size: int) -> int:
    """Send bytes there and count those that come back within a second of each other."""
    count = 0
    with socket.create_connection((address, 7), timeout=1) as line:
        line.sendall(bytes(size))
        try:
            while count < size:
                count += len(line.recv(65_536))
        except TimeoutError:
            pass
    return count


def all_namespaces() -> set[str]:
    return set(namespaces.ip("netns", "list").stdout.replace("(id:", " ").split())


def is_gone(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"  # nobody has asked for its end yet


def test_a_world_carries_blocks_and_leaves_nothing_behind() -> None:
    with World(clients=2) as world:
        own = {world.namespace(where) for where in ("client", "client2", "box", "outside", "lan")}
        assert own <= all_namespaces()
        for client in ("client", "client2"):
            assert world.inside(client, echoed, SUSPICIOUS.at(20), 50_000) == 50_000
        looked_up = world.run("client", ["getent", "hosts", "relay.suspicious.example"], timeout_s=10)
        assert looked_up.stdout.split()[:1] == [SUSPICIOUS.at(10)]
        world.box.use("curtain", seed=1)
        assert world.inside("client", echoed, SUSPICIOUS.at(20), 50_000) < 20_000
        assert [line["event"] for line in world.box.triggers()] == ["freeze"]
        counts = world.box.counts()
        assert counts["dropped"] > 0
        assert counts["lost"] == 0
        world.box.use("none", seed=1)
        assert world.inside("client", echoed, SUSPICIOUS.at(20), 50_000) == 50_000
        assert world.box.triggers() == []
        left = world.start("client", ["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE)
        assert left.stdout is not None
        grandchild = int(left.stdout.readline())
    assert not own & all_namespaces()
    assert is_gone(grandchild)


def test_what_a_crash_left_is_removed_by_whoever_comes_next() -> None:
    program = (
        "import os\nfrom lab.world import World\nworld = World().__enter__()\n"
        "print(world.namespace('box'), flush=True)\nos.kill(os.getpid(), 9)"
    )
    crashed = subprocess.run(
        [sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=False
    )
    name = crashed.stdout.strip()
    assert name in all_namespaces()
    namespaces.remove_leftovers()
    assert name not in all_namespaces()
    assert not Path("/etc/netns", name).exists()


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert why_not() == "the lab needs root, to make network namespaces"
