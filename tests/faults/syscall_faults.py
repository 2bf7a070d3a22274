"""Fails, tears and cuts the system calls of a child at its n-th write, sync, cut or removal of a file.

    ended = run(child, Fault("write", 7, "EIO"), folder=where)

A tracer of few lines over ptrace(2): it needs neither strace nor rights, only Linux on x86-64 or ARM64. The child is
a function in a fork of this process, which must have one thread. Only calls on files below `folder` are counted.

    EIO, ENOSPC, ...   the call is not made, and the child is told this error
    SHORT              half of the bytes are written, as on a disk that has just become full
    KILL               the child is killed before the call
    CUT                the child is killed before the call, and of each file only what was synced is left, as after a
                       power cut; names that were made or removed and not synced with their folder are as before
    TORN               like CUT, and every other sector of what was not synced got through
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

SECTOR_BYTES: Final = 512

_TRACEME, _DETACH, _SYSCALL, _SETOPTIONS, _GETREGSET, _SETREGSET = 0, 17, 24, 0x4200, 0x4204, 0x4205
_SYSGOOD, _EXITKILL = 1, 0x100000
_GENERAL, _ARM_CALL = 1, 0x404

# Number of a call to what it does; the same names on both machines.
_CALLS: Final = {
    "x86_64": {
        1: "write", 18: "write", 20: "write", 296: "write", 74: "sync", 75: "sync", 77: "cut",
        82: "rename", 264: "rename", 316: "rename", 87: "remove", 263: "remove",
    },
    "aarch64": {
        64: "write", 68: "write", 66: "write", 70: "write", 82: "sync", 83: "sync", 46: "cut",
        38: "rename", 276: "rename", 35: "remove",
    },
}  # fmt: skip
_PLAIN_WRITES: Final = {"x86_64": {1, 18}, "aarch64": {64, 68}}
"""write and pwrite64, which say how much in their third argument."""
_AT: Final = {"x86_64": {263, 264, 316}, "aarch64": {35, 38, 276}}
"""Calls whose first name stands in the second argument."""
_PLACES: Final = {"x86_64": (15, 10, (14, 13, 12)), "aarch64": (8, 0, (0, 1, 2))}
"""Where the call's number, its result and its first three arguments stand among the registers."""


class Fault(NamedTuple):
    """What is to go wrong."""

    call: str
    """write, sync, cut, rename, remove, or `any` of them."""
    nth: int
    """Counted from 1."""
    action: str


class Ended(NamedTuple):
    """How the child ended."""

    hit: bool
    """False where it made fewer such calls."""
    killed: bool
    """By us."""
    status: int
    """As `os.waitstatus_to_exitcode` says it."""
    where: str
    """Which file the fault met."""


class NotTraced(AssertionError):
    """This machine lets nobody trace their own child."""


def possible() -> bool:
    """Say whether this is a machine that the tracer knows."""
    return sys.platform == "linux" and platform.machine() in _CALLS


def run(child: Callable[[], None], fault: Fault, *, folder: Path) -> Ended:
    """Run `child` in a fork, let the fault happen to it, and say how it ended. Raises `NotTraced`."""
    tracer = _Tracer(fault, folder)
    pid = os.fork()
    if pid == 0:
        status = 3
        try:
            if _ptrace(_TRACEME, 0) == 0:
                os.kill(os.getpid(), signal.SIGSTOP)
                child()
                status = 0
            else:
                status = 77
        finally:
            os._exit(status)
    ended = tracer.follow(pid)
    if ended.killed:
        tracer.left()
    return ended


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
if hasattr(_LIBC, "ptrace"):
    _LIBC.ptrace.restype = ctypes.c_long
    _LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    return int(_LIBC.ptrace(request, pid, address, data))


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Tracer:
    """One child, one fault, and what of the files would be left after a power cut."""

    def __init__(self, fault: Fault, folder: Path) -> None:
        self.fault, self.folder = fault, folder.resolve()
        machine = platform.machine()
        self.calls, self.plain, self.at = _CALLS[machine], _PLAIN_WRITES[machine], _AT[machine]
        self.number, self.result, self.arguments = _PLACES[machine]
        self.arm = machine == "aarch64"
        self.registers = (ctypes.c_uint64 * 68)()
        self.count = 0
        self.hit, self.killed, self.where = False, False, ""
        # What a power cut leaves: each folder's names when it was last synced, and each file's bytes when it was. A
        # file may have several names, and is synced under any of them.
        self.names = {path: path.stat().st_ino for path in self.folder.rglob("*") if path.is_file()}
        self.contents = {inode: path.read_bytes() for path, inode in self.names.items()}

    def follow(self, pid: int) -> Ended:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            raise NotTraced(
                "this machine lets no process trace its own child (ptrace): allow it, in a container with "
                "--cap-add=SYS_PTRACE or a seccomp profile that lets ptrace pass, and with "
                "kernel.yama.ptrace_scope below 2"
            )
        _ptrace(_SETOPTIONS, pid, 0, _SYSGOOD | _EXITKILL)
        deliver, entering, forced, synced = 0, True, 0, ""
        while True:
            _ptrace(_SYSCALL, pid, 0, deliver)
            _, status = os.waitpid(pid, 0)
            if not os.WIFSTOPPED(status):
                break
            found = os.WSTOPSIG(status)
            deliver = 0
            if found != signal.SIGTRAP | 0x80:
                deliver = found
                continue
            if entering:
                forced, synced = self._entry(pid)
            else:
                if forced:
                    self._read(pid)
                    self.registers[self.result] = ctypes.c_uint64(-forced).value
                    self._write(pid)
                elif synced:
                    self._synced(pid, synced)
                forced, synced = 0, ""
                if self.hit:  # nothing more is done to it
                    _ptrace(_DETACH, pid)
                    _, status = os.waitpid(pid, 0)
                    break
            entering = not entering
        return Ended(self.hit, self.killed, os.waitstatus_to_exitcode(status), self.where)

    def _entry(self, pid: int) -> tuple[int, str]:
        """Look at one call before it is made; return the error to give it, and the file that it syncs."""
        self._read(pid)
        call = self.registers[self.number]
        kind = self.calls.get(call)
        if kind is None:
            return 0, ""
        first, second, third = (self.registers[at] for at in self.arguments)
        if kind in ("rename", "remove"):
            path = self._text(pid, second if call in self.at else first)
        else:
            try:
                path = os.readlink(f"/proc/{pid}/fd/{first}")
            except OSError:
                return 0, ""
        if not path.startswith(str(self.folder)):
            return 0, ""
        syncs = path if kind == "sync" else ""
        if self.fault.call not in (kind, "any"):
            return 0, syncs
        self.count += 1
        if self.count != self.fault.nth:
            return 0, syncs
        self.hit, self.where = True, f"{kind} {path}"
        match self.fault.action:
            case "KILL" | "CUT" | "TORN":
                self.killed = True
                os.kill(pid, signal.SIGKILL)
                return 0, ""
            case "SHORT":
                if call in self.plain and third > 1:
                    self.registers[self.arguments[2]] = third // 2
                    self._write(pid)
                return 0, syncs
            case name:
                self._skip(pid)
                return getattr(errno, name), ""

    def left(self) -> None:
        """Make the folder what a power cut leaves of it."""
        if self.fault.action not in ("CUT", "TORN"):
            return
        now = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        shutil.rmtree(self.folder)
        self.folder.mkdir(mode=0o700)
        for path, inode in sorted(self.names.items()):
            content = self.contents.get(inode, b"")
            if self.fault.action == "TORN" and path in now:
                content = _torn(content, now[path], self.fault.nth)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(content)

    def _synced(self, pid: int, path: str) -> None:
        """Remember what a sync that succeeded has made durable."""
        self._read(pid)
        if self.registers[self.result] != 0:
            return
        where = Path(path)
        if where.is_dir():
            self.names = {name: inode for name, inode in self.names.items() if name.parent != where}
            self.names |= {name: name.stat().st_ino for name in where.iterdir() if name.is_file()}
        elif where.is_file():
            self.contents[where.stat().st_ino] = where.read_bytes()

    def _skip(self, pid: int) -> None:
        """Have the kernel make no call at all."""
        if self.arm:
            number = ctypes.c_int(-1)
            vector = _Vector(ctypes.addressof(number), ctypes.sizeof(number))
            _ptrace(_SETREGSET, pid, _ARM_CALL, ctypes.addressof(vector))
            return
        self.registers[self.number] = 2**64 - 1
        self._write(pid)

    def _read(self, pid: int) -> None:
        self._vector = _Vector(ctypes.addressof(self.registers), ctypes.sizeof(self.registers))
        if _ptrace(_GETREGSET, pid, _GENERAL, ctypes.addressof(self._vector)) != 0:
            raise NotTraced(f"the registers of {pid} cannot be read: {os.strerror(ctypes.get_errno())}")

    def _write(self, pid: int) -> None:
        # The kernel said how many there are when they were read.
        _ptrace(_SETREGSET, pid, _GENERAL, ctypes.addressof(self._vector))

    def _text(self, pid: int, address: int) -> str:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            return os.fsdecode(memory.read(4_096).split(b"\0", 1)[0])


def _torn(old: bytes, new: bytes, seed: int) -> bytes:
    """Return the old bytes with every other changed sector new; which half, the seed says."""
    made = bytearray(old.ljust(len(new), b"\0"))
    for number, at in enumerate(range(0, len(new), SECTOR_BYTES)):
        if (number + seed) % 2:
            made[at : at + SECTOR_BYTES] = new[at : at + SECTOR_BYTES]
    return bytes(made)
