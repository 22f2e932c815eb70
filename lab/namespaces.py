"""Network namespaces that a run makes and removes, with all that runs in them.

Names hold the process that made them and when that started, so that whoever comes next can tell what a crash
left behind, and removes it.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Final

_MARK: Final = "skvoz-lab"
_RUN: Final = Path("/run/netns")
_ETC: Final = Path("/etc/netns")
_CLONE_NEWNS: Final = 0x00020000
_CLONE_NEWNET: Final = 0x40000000
_MS_BIND, _MS_REC, _MS_SLAVE = 0x1000, 0x4000, 0x80000
_SIOCETHTOOL: Final = 0x8946
_OFFLOADS: Final = (0x15, 0x17, 0x19, 0x1F, 0x22, 0x24, 0x2C)
"""Checksums both ways, gather, TSO, UFO, GSO, GRO (linux/ethtool.h, ETHTOOL_S…)."""
_KILL_S: Final = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str | None:
    """Say why there can be no namespaces here, or nothing if there can."""
    if os.name != "posix" or not Path("/proc/self/ns/net").exists():
        return "the lab needs Linux with network namespaces"
    if os.geteuid() != 0:
        return "the lab needs root, to make network namespaces"
    if shutil.which("ip") is None:
        return "the lab needs `ip` (Debian: iproute2)"
    name = f"{_MARK}-try-{os.getpid()}-{threading.get_ident()}"
    if ip("netns", "add", name, check=False).returncode:
        return "the lab may not make network namespaces here"
    ip("netns", "del", name, check=False)
    return None


def ip(*arguments: str, inside: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run `ip`, in a namespace if one is named."""
    where = ["-n", inside] if inside else []
    return subprocess.run(["ip", *where, *arguments], check=check, capture_output=True, text=True, timeout=30)


def _started(process: int) -> str:
    """Return when a process started, in ticks; nothing if there is none."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def unused_names(*roles: str) -> dict[str, str]:
    """Return names of namespaces for roles, of this process and this call alone."""
    own = f"{_MARK}-{os.getpid()}-{_started(os.getpid())}-{time.monotonic_ns() % 10**9}"
    return {role: f"{own}-{role}" for role in roles}


def remove_leftovers() -> None:
    """Remove the namespaces of processes that are gone."""
    found = {path.name for folder in (_RUN, _ETC) if folder.exists() for path in folder.iterdir()}
    for name in found:
        if not name.startswith(f"{_MARK}-"):
            continue
        parts = name.removeprefix(f"{_MARK}-").split("-")
        if parts[0].isdecimal() and len(parts) > 1 and _started(int(parts[0])) != parts[1]:
            remove(name)


def make(name: str, resolver: str) -> None:
    """Make a namespace with a loopback, without IPv6, and with its own `/etc/resolv.conf`."""
    (_ETC / name).mkdir(parents=True)
    (_ETC / name / "resolv.conf").write_text(f"nameserver {resolver}\noptions timeout:1 attempts:2\n")
    ip("netns", "add", name)
    off = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up"
    ip("netns", "exec", name, "sh", "-c", off)


def remove(name: str) -> None:
    """End all processes that live in a namespace, and remove it."""
    until = time.monotonic() + _KILL_S
    while time.monotonic() < until:
        living = ip("netns", "pids", name, check=False).stdout.split()
        for process in living:
            # Threads of ours that are inside of it would be listed with us as their process.
            if int(process) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGKILL)
        if not [one for one in living if int(one) != os.getpid()]:
            break
        time.sleep(0.02)
    ip("netns", "del", name, check=False)
    shutil.rmtree(_ETC / name, ignore_errors=True)


def enter(name: str) -> None:
    """Move this thread, and those that it starts, into a namespace, its `/etc/resolv.conf` included.

    Sockets that are made here stay there. A thread can't come back: use one that ends.
    """
    with (_RUN / name).open("rb") as there:
        _checked(_libc.setns(there.fileno(), _CLONE_NEWNET))
    _checked(_libc.unshare(_CLONE_NEWNS))
    _checked(_libc.mount(b"none", b"/", None, _MS_REC | _MS_SLAVE, None))
    own = os.fsencode(_ETC / name / "resolv.conf")
    _checked(_libc.mount(own, os.fsencode(Path("/etc/resolv.conf").resolve()), b"none", _MS_BIND, None))


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def join(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Lay a cable between two namespaces: each end is a namespace and the name of an interface there."""
    (here, near), (there, far) = first, second
    ip("link", "add", near, "netns", here, "mtu", "1500", "type", "veth", "peer", "name", far, "netns", there)
    for inside, interface in (first, second):
        ip("link", "set", interface, "up", inside=inside)
        _turn_offloads_off(inside, interface)


def _turn_offloads_off(inside: str, interface: str) -> None:
    """Let frames be what they'd be on a wire: at most 1,500 bytes, with checksums."""
    failure: list[BaseException] = []

    def turn() -> None:
        try:
            enter(inside)
            with socket.socket() as any_socket:
                for command in _OFFLOADS:
                    value = ctypes.create_string_buffer(struct.pack("II", command, 0))
                    request = struct.pack("16sQ", interface.encode(), ctypes.addressof(value))
                    # Some can't be turned off alone: the one that they hang on was turned off before.
                    with contextlib.suppress(OSError):
                        fcntl.ioctl(any_socket, _SIOCETHTOOL, request)
        except BaseException as error:  # noqa: BLE001  # it is raised where the thread was started
            failure.append(error)

    thread = threading.Thread(target=turn)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
