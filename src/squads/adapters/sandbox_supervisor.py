"""The process between a sandbox and its command: it sets the limits, starts the command, and ends all that it started.

`ProcessSandbox` runs this file as a script of its own, so it imports nothing but the standard library and never starts
a second thread: the kernel moves only a process with one thread into namespaces of its own. One line of JSON comes on
standard input, which then stays open as a leash: when it ends, because the caller let go or died, everything here ends.
The command writes to standard error; standard output carries one line of JSON, how it ended.

It must never start the command with less than what it was told to enforce: a layer that cannot be put up ends the run.

What the layers are made of, each only where the kernel lets a user have it:

    processes   a process namespace with a /proc of its own: when its first process ends, the kernel ends all of it
    network     a network namespace with nothing in it but a loopback of its own
    files       Landlock: writing, making, moving and removing only below the folder
    memory      RLIMIT_DATA per process, and a look at all of them together many times a second
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Any

LOOK_SECONDS = 0.02
"""How often memory and processes are looked at; in the whole machine's /proc a fifth as often, for it costs more."""
OPEN_FILES_MAX = 1_024
_ORDER_BYTES_MAX = 8 * 1024 * 1024
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  (a mount of its own, in a namespace of its own)

# From linux/sched.h, mount.h, prctl.h, securebits.h, landlock.h, sockios.h; none of them has a name in Python 3.11.
_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 0x1, 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_PDEATHSIG, _DUMPABLE, _SECUREBITS, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 4, 28, 36, 38
_NO_ROOT_LOCKED = 0b11
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _TRUNCATE, _MAKE_DEVICES = 1 << 1, 1 << 14, 1 << 6 | 1 << 11
# Every way to change a file or a folder that the third version of Landlock knows; reading and executing are left free.
_CHANGES = _WRITE_FILE | sum(1 << bit for bit in range(4, 15))
_SCOPE_SIGNALS = 1 << 1


class Cannot(Exception):
    """The sandbox, not the command, could not be put up."""


def main() -> int:
    """Obey the order on standard input; return 0 when what was asked for could be done."""
    order = _order()
    leash, status, null = os.dup(0), os.dup(1), os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    layers = frozenset(order["layers"])
    try:
        _enter(layers)
        if "processes" in layers:
            inner = os.fork()
            if inner:
                # Its end is the end of the whole namespace: the kernel reports it only when nothing is left in there.
                return os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
            _control(_PDEATHSIG, signal.SIGKILL)
            _mount(order["hidden"])
        elif sys.platform == "linux":
            _control(_SUBREAPER, 1)
        if sys.platform == "linux":
            _control(_DUMPABLE, 0)  # what the command may not do to this process through /proc or a debugger
        said = _supervise(order, layers, leash)
    except (Cannot, OSError) as error:
        said = {"sandbox": str(error)}
    if "processes" not in layers:
        _end_all()
    os.write(status, json.dumps(said).encode() + b"\n")
    return 0 if said.get("exit_code") == 0 else 1


def _order() -> dict[str, Any]:
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < _ORDER_BYTES_MAX:
        chunk = os.read(0, 65_536)
        if not chunk:
            raise SystemExit(2)
        line += chunk
    order: dict[str, Any] = json.loads(line)
    return order


# --- what keeps the command in ----------------------------------------------------------------------------------------


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(what: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise Cannot(f"{what}: {os.strerror(number)}")
    return result


def _control(option: int, value: int) -> None:
    _checked(f"prctl {option}", _libc().prctl(option, *(ctypes.c_ulong(n) for n in (value, 0, 0, 0))))


def _enter(layers: frozenset[str]) -> None:
    """Move into namespaces of our own, as the user that we are; outside of them nobody gains a right."""
    flags = _NEWPID | _NEWNS | _NEWIPC if "processes" in layers else 0
    flags |= _NEWNET if "network" in layers else 0
    if not flags:
        return
    user, group = os.geteuid(), os.getegid()
    _checked("unshare", _libc().unshare(flags | _NEWUSER))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
            file.write(text)
    if "network" in layers:
        _raise_loopback()


def _raise_loopback() -> None:
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 0x41))  # SIOCSIFFLAGS: up and running


def _mount(hidden: list[str]) -> None:
    """Give the namespace its own /proc and shared memory, and cover what is hidden with nothing."""

    def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
        values = [os.fsencode(v) if v is not None else None for v in (source, target, kind, options)]
        result = _libc().mount(*values[:3], ctypes.c_ulong(flags), values[3])
        _checked(f"mount on {target}", result)

    mount("none", "/", None, _REC | _PRIVATE)
    mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    if os.path.isdir(_SHARED_MEMORY):  # noqa: PTH112
        mount("tmpfs", _SHARED_MEMORY, "tmpfs", _NOSUID | _NODEV, "size=64m,mode=1777")
    for path in hidden:
        if os.path.isdir(path):  # noqa: PTH112
            mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV | _NOEXEC | _RDONLY, "size=4k,mode=555")
        elif os.path.exists(path):  # noqa: PTH110
            mount(os.devnull, path, None, _BIND)


def _confine(folder: str, *, own_shared_memory: bool) -> None:
    """Let this process and what it starts change files only below `folder`."""
    call = _libc().syscall
    version = _checked("landlock", call(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    if version < 3:
        raise Cannot(f"landlock of version {version} cannot keep files from being emptied; version 3 can")
    # The attribute's size tells the kernel how much of it is meant: an older one refuses the fields it does not know.
    attribute = (ctypes.c_uint64 * 3)(_CHANGES, 0, _SCOPE_SIGNALS if version >= 6 else 0)
    size = ctypes.c_size_t(24 if version >= 6 else 8)
    rules = _checked("landlock ruleset", call(_CREATE_RULESET, attribute, size, 0))
    allowed = [(folder, _CHANGES & ~_MAKE_DEVICES)]
    if own_shared_memory:
        allowed.append((_SHARED_MEMORY, _CHANGES & ~_MAKE_DEVICES))
    allowed += [(f"/dev/{name}", _WRITE_FILE | _TRUNCATE) for name in ("null", "zero", "full")]
    for path, access in allowed:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            if path == folder:
                raise
            continue
        rule = access.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
        _checked("landlock rule", call(_ADD_RULE, rules, 1, rule, 0))
        os.close(place)
    _checked("landlock restrict", call(_RESTRICT_SELF, rules, 0))
    os.close(rules)


def _limit(order: dict[str, Any], layers: frozenset[str]) -> None:
    import resource

    processors = os.cpu_count() or 1
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": OPEN_FILES_MAX,
        "RLIMIT_FSIZE": order["file_bytes_max"],
        # A backstop behind the clock on the wall, for as many processors as one process can keep busy.
        "RLIMIT_CPU": (int(order["seconds_max"]) + 2) * processors,
        # Not the address space: programs reserve far more of it than they use, and die of a limit that they never met.
        "RLIMIT_DATA": order["memory_bytes_max"],
    }
    if "processes" in layers and _counts_per_namespace():
        wanted["RLIMIT_NPROC"] = order["processes_max"] + 2  # the supervisor and its first process count too
    for name, most in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(number, (most, most))


def _counts_per_namespace() -> bool:
    """Since Linux 5.14 processes are counted per user namespace; before, all of the user's processes would count."""
    numbers = os.uname().release.split("-")[0].split(".")
    return numbers[0].isdigit() and numbers[1].isdigit() and (int(numbers[0]), int(numbers[1])) >= (5, 14)


# --- the command ------------------------------------------------------------------------------------------------------


def _supervise(order: dict[str, Any], layers: frozenset[str], leash: int) -> dict[str, Any]:
    """Start the command, and return how it ended, or why it could not be started."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    failing, fails = os.pipe()
    child = os.fork()
    if not child:
        _become(order, layers, fails)
    os.close(fails)
    if failed := os.read(failing, 4_096):  # nothing comes when the command was started: the pipe closes with it
        os.waitpid(child, 0)
        reason: dict[str, Any] = json.loads(failed)
        return reason
    deadline = time.monotonic() + order["seconds_max"]
    pause = LOOK_SECONDS if "processes" in layers else LOOK_SECONDS * 5
    ears = select.poll()
    ears.register(leash, select.POLLIN | select.POLLHUP)
    ears.register(woken, select.POLLIN)
    while True:
        for descriptor, _ in ears.poll(max(0.0, min(pause, deadline - time.monotonic())) * 1_000):
            if descriptor == leash:
                return {"exit_code": None, "ended": "signal"}
            os.read(woken, 512)
        if (how := _reaped(child)) is not None:
            return how
        if time.monotonic() >= deadline:
            return {"exit_code": None, "ended": "time"}
        if over := _over(order["memory_bytes_max"], order["processes_max"]):
            return {"exit_code": None, "ended": over}


def _become(order: dict[str, Any], layers: frozenset[str], fails: int) -> None:
    """Turn the child into the command; never return."""
    try:
        # Python asks not to be told of these two; the command shall be told.
        for silent in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
            signal.signal(silent, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.setsid()
        os.chdir(order["folder"])
        os.dup2(2, 1)
        if sys.platform == "linux":
            _control(_NO_NEW_PRIVILEGES, 1)
            with suppress(Cannot):  # allowed only to who has privileges to lose
                _control(_SECUREBITS, _NO_ROOT_LOCKED)
        if "files" in layers:
            _confine(order["folder"], own_shared_memory="processes" in layers)
        _limit(order, layers)
        if not order["command"]:
            os._exit(0 if "memory" not in layers or _memory_ends(order["memory_bytes_max"]) else 1)
        os.execvpe(order["command"][0], order["command"], order["environment"])  # noqa: S606
    except OSError as error:
        number = error.errno or errno.EINVAL
        os.write(fails, json.dumps({"command": os.strerror(number)}).encode())
    except Exception as error:
        os.write(fails, json.dumps({"sandbox": str(error)}).encode())
    finally:
        os._exit(127)


def _memory_ends(bytes_max: int) -> bool:
    """Return whether more memory than allowed is really refused: some systems take the limit and ignore it."""
    try:
        bytearray(2 * bytes_max)
    except MemoryError:
        return True
    return False


def _reaped(child: int) -> dict[str, Any] | None:
    """Collect what has ended, orphans of the command included; return how the command did, if it was among them."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if not ended:
            return None
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            if code >= 0:
                return {"exit_code": code, "ended": ""}
            limits = {int(signal.SIGXFSZ): "files", int(signal.SIGXCPU): "time"}
            return {"exit_code": None, "ended": limits.get(-code, "signal")}


# --- everything the command started -----------------------------------------------------------------------------------


def _descendants() -> dict[int, dict[str, int]]:
    """Return process id to what /proc says of each process below this one; {} where there is no /proc."""
    seen: dict[int, dict[str, int]] = {}
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return {}
    for name in names:
        with suppress(OSError, ValueError), open(f"/proc/{name}/status", "rb") as file:  # noqa: PTH123
            fields = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
            seen[int(name)] = {
                key: int(fields.get(key.encode(), b"0").split()[0])
                for key in ("PPid", "Threads", "RssAnon", "RssShmem")
            }
    below: dict[int, dict[str, int]] = {}
    fresh = {os.getpid()}
    while fresh:
        fresh = {one for one, said in seen.items() if said["PPid"] in fresh and one not in below}
        below.update((one, seen[one]) for one in fresh)
    return below


def _over(memory_bytes_max: int, processes_max: int) -> str:
    """Return which bound all processes together have passed, if any."""
    found = _descendants().values()
    if sum(said["Threads"] for said in found) > processes_max:
        return "processes"
    if sum(said["RssAnon"] + said["RssShmem"] for said in found) * 1_024 > memory_bytes_max:
        return "memory"
    return ""


def _end_all() -> None:
    """End every process below this one; as often as needed, for they may start new ones meanwhile."""
    for _ in range(1_000):
        found = _descendants()
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not found:
            return
        time.sleep(0.002)


if __name__ == "__main__":
    os._exit(main())
