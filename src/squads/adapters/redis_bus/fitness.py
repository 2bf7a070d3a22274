"""What a server's settings mean for the bus: fine, a warning, not to be seen, or refused. Decides; asks nobody.

Each check is one function of what was seen. A refusal says what stands there, what it loses or whom it lets in, and
the exact line to change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from squads.adapters.redis_bus.address import BusAddress, is_loopback
from squads.adapters.redis_bus.facts import Greeting
from squads.contracts.base import Contract

Grade = Literal["fine", "warning", "unseen", "refused"]

SLOTS: Final = 16_384
CLOCK_OFF_MS_MAX: Final = 1_000
ROUND_TRIP_MS_MAX: Final = 20
MEMORY_FULL_PERCENT: Final = 80


class Finding(Contract):
    """What one look at the server showed."""

    check: str
    """What was looked at, in one word."""
    grade: Grade
    what: str
    """What stands there."""
    why: str = ""
    """What it can lose, or whom it lets in."""
    fix: str = ""
    """The exact line to change."""


class Diagnosis(Contract):
    """Everything that was found about one server."""

    address: str
    """Without the password."""
    server: str
    """As `Valkey 9.1.2`; the empty string where it did not say."""
    round_trip_us: int | None
    disposable: bool
    """True where its user said that nothing on it needs to survive a restart."""
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What must be changed before any work is given to this server."""
        return tuple(finding for finding in self.findings if finding.grade == "refused")

    @property
    def exit_code(self) -> Literal[0, 2]:
        """2 where something is refused or could not be looked at, else 0; a warning alone is 0."""
        return 2 if any(finding.grade in {"refused", "unseen"} for finding in self.findings) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a server was seen to say. None and missing names were not to be had."""

    address: BusAddress
    greeting: Greeting | None = None
    info: Mapping[str, str] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    open_to_all: bool | None = None
    """Whether somebody without a password is let in."""
    cluster: Mapping[str, str] | None = None
    clock_off_ms: int | None = None
    round_trip_us: int | None = None
    disposable: bool = False

    @property
    def near(self) -> bool:
        """Whether the server is reached on this machine alone, as its address says."""
        return self.address.kind == "unix" or self.address.loopback


def _fine(check: str, what: str) -> Finding:
    return Finding(check=check, grade="fine", what=what)


def _warn(check: str, what: str, why: str, fix: str) -> Finding:
    return Finding(check=check, grade="warning", what=what, why=why, fix=fix)


def bad(check: str, what: str, why: str, fix: str) -> Finding:
    """Return a refusal."""
    return Finding(check=check, grade="refused", what=what, why=why, fix=fix)


def _unseen(check: str, what: str, command: str) -> Finding:
    return Finding(
        check=check,
        grade="unseen",
        what=f"{what} could not be looked at",
        why=f"this user may not do {command}, or the server does not offer it",
        fix="ask as a user who may: the address of an administrator in SQUADS_BUS, or --bus",
    )


def _version(seen: Observed) -> Finding:
    assert seen.greeting is not None
    return _fine("version", seen.greeting.name)


def _role(seen: Observed) -> Finding:
    assert seen.greeting is not None
    if seen.greeting.primary:
        return _fine("role", "a primary")
    return bad(
        "role",
        "this server is a replica",
        "it takes no writes, and shows what is not up to date",
        "give the primary's address, or redis+sentinel://…, which finds it",
    )


def _eviction(seen: Observed) -> Finding:
    policy = (seen.info or {}).get("maxmemory_policy")
    if policy is None:
        return _unseen("eviction", "maxmemory-policy", "INFO memory")
    if policy == "noeviction":
        return _fine("eviction", "maxmemory-policy noeviction")
    return bad(
        "eviction",
        f"maxmemory-policy is {policy}",
        "when memory is full the server silently throws whole queues away",
        "CONFIG SET maxmemory-policy noeviction",
    )


def _append_only(seen: Observed) -> Finding:
    enabled = (seen.info or {}).get("aof_enabled")
    if enabled is None:
        return _unseen("append-only", "appendonly", "INFO persistence")
    if enabled == "1":
        return _fine("append-only", "appendonly yes")
    if seen.disposable:
        return _fine("append-only", "appendonly no, and this server was said to be disposable")
    return bad(
        "append-only",
        "appendonly is no",
        "whatever was accepted since the last snapshot is gone after a restart",
        "CONFIG SET appendonly yes",
    )


def _sync(seen: Observed) -> Finding | None:
    if seen.disposable or (seen.info or {}).get("aof_enabled") == "0":
        return None
    how = seen.settings.get("appendfsync")
    if how is None:
        return _unseen("sync", "appendfsync", "CONFIG GET appendfsync")
    if how == "always":
        return _fine("sync", "appendfsync always")
    if how == "everysec":
        return _warn(
            "sync",
            "appendfsync is everysec",
            "a machine that loses power loses about the last second; the runner sends it again from the ledger",
            "CONFIG SET appendfsync always",
        )
    return bad(
        "sync",
        f"appendfsync is {how}",
        "a machine that loses power loses what its system had not written yet: half a minute, or more",
        "CONFIG SET appendfsync always",
    )


def _writing(seen: Observed) -> Finding:
    if seen.info is None:
        return _unseen("writing", "whether the last writes to disk succeeded", "INFO persistence")
    failed = [
        name
        for name in ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
        if seen.info.get(name, "ok") != "ok"
    ]
    if not failed:
        return _fine("writing", "the last writes to disk succeeded")
    made = bad if "aof_last_write_status" in failed else _warn
    return made(
        "writing",
        f"the last write to disk failed ({', '.join(failed)})",
        "what is accepted now may be gone after a restart, and soon nothing is accepted any more",
        "make room on the server's disk and see its log; then BGREWRITEAOF",
    )


def _access(seen: Observed) -> Finding:
    if seen.open_to_all is None:
        return _unseen("access", "whether the default user needs a password", "a connection without one")
    if not seen.open_to_all:
        return _fine("access", "nobody is let in without a password")
    bind = seen.settings.get("bind")
    listens_here = bind is not None and bool(bind.split()) and all(map(_is_here, bind.split()))
    made = _warn if listens_here else bad
    where = f"on {bind}" if bind else "on every network" if bind == "" else "on networks that could not be seen"
    return made(
        "access",
        f"the default user needs no password {where}",
        "whoever reaches the port reads and writes every message"
        if made is bad
        else "every user of that machine reads and writes every message",
        "ACL SETUSER default off, with the users of `squads acl`; or CONFIG SET requirepass …",
    )


def _is_here(name: str) -> bool:
    return is_loopback(name.removeprefix("-"))


def _protected(seen: Observed) -> Finding:
    mode = seen.settings.get("protected-mode")
    if mode is None:
        return _unseen("protected", "protected-mode", "CONFIG GET protected-mode")
    if mode == "yes":
        return _fine("protected", "protected-mode yes")
    made = _warn if seen.open_to_all is False else bad
    return made(
        "protected",
        "protected-mode is no",
        "should the password ever be taken away, the server answers the whole network",
        "CONFIG SET protected-mode yes",
    )


def _tls(seen: Observed) -> Finding:
    if seen.address.tls:
        return _fine("tls", "TLS, with certificate and host name checked")
    if seen.near:
        return _fine("tls", "no TLS, on this machine")
    return bad(
        "tls",
        "the address is not on this machine and has no TLS",
        "the password and every message can be read on the way, and changed",
        "conf: tls-port 6380, tls-cert-file, tls-key-file, tls-ca-cert-file, port 0; then rediss://…?ca=…",
    )


def _cluster(seen: Observed) -> Finding | None:
    if seen.greeting is None or seen.greeting.mode != "cluster":
        return None
    if seen.cluster is None:
        return _unseen("cluster", "the cluster's slots", "CLUSTER INFO")
    served = seen.cluster.get("cluster_slots_ok", "0")
    if seen.cluster.get("cluster_state") == "ok" and served == str(SLOTS):
        return _fine("cluster", f"all {SLOTS} slots are served")
    return bad(
        "cluster",
        f"its state is {seen.cluster.get('cluster_state', 'not known')}, and {served} of {SLOTS} slots are served",
        "workspaces in the other slots are not served at all",
        "CLUSTER ADDSLOTSRANGE … on a node, or start the nodes that have them (CLUSTER NODES)",
    )


def _replicas(seen: Observed) -> Finding | None:
    if seen.info is None:
        return _unseen("replicas", "the replicas", "INFO replication")
    number = seen.info.get("connected_slaves", "0")
    if number == "0":
        return None
    if "min_slaves_good_slaves" in seen.info:  # it is only there where min-replicas-to-write is set
        return _fine("replicas", f"{number}, and min-replicas-to-write is set")
    return _warn(
        "replicas",
        f"{number} replicas, and min-replicas-to-write is 0",
        "a primary that was cut off goes on accepting work, which is lost at the failover; it is sent again later",
        "CONFIG SET min-replicas-to-write 1",
    )


def _clock(seen: Observed) -> Finding:
    if seen.clock_off_ms is None:
        return _unseen("clock", "the server's clock", "TIME")
    off = f"the server's clock is {abs(seen.clock_off_ms)} ms {'ahead of' if seen.clock_off_ms > 0 else 'behind'} ours"
    if abs(seen.clock_off_ms) <= CLOCK_OFF_MS_MAX + (seen.round_trip_us or 0) // 1000:
        return _fine("clock", off)
    return _warn(
        "clock", off, "how old messages are is shown wrongly; nothing is lost by it", "run chrony or ntpd on it"
    )


def _memory(seen: Observed) -> Finding:
    info = seen.info or {}
    used, most = _number(info.get("used_memory")), _number(info.get("maxmemory"))
    if used is None or most is None:
        return _unseen("memory", "the memory", "INFO memory")
    machine = _number(info.get("total_system_memory")) or 0
    bound, shown = (most, "maxmemory") if most else (machine, "the machine's memory")
    percent = used * 100 // bound if bound else 0
    what = f"{used >> 20} MiB used, {percent}% of {shown}"
    if percent >= MEMORY_FULL_PERCENT:
        more = f"CONFIG SET maxmemory {max(bound * 2, used * 2)}, where the machine has it"
        return _warn("memory", what, "full, it accepts nothing more (OOM)", more)
    if not most:
        return _warn(
            "memory",
            f"{what}, and maxmemory is 0",
            "it grows until the system kills it, which is worse than a clean refusal",
            f"CONFIG SET maxmemory {machine * 3 // 4 or 1 << 30}",
        )
    return _fine("memory", what)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _round_trip(seen: Observed) -> Finding | None:
    if seen.round_trip_us is None:
        return None
    what = f"a round trip takes {seen.round_trip_us / 1000:.1f} ms"
    if seen.round_trip_us <= ROUND_TRIP_MS_MAX * 1000:
        return _fine("latency", what)
    return _warn("latency", what, "every message costs a few of them", "put workers and server nearer to each other")


CHECKS: Final[tuple[Callable[[Observed], Finding | None], ...]] = (
    _version,
    _role,
    _eviction,
    _append_only,
    _sync,
    _writing,
    _access,
    _protected,
    _tls,
    _cluster,
    _replicas,
    _clock,
    _memory,
    _round_trip,
)
