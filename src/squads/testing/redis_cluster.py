"""A real cluster for tests: several servers on this machine that share the slots among them.

with RedisCluster(3) as cluster:
    bus_address = cluster.url          # its first node; the others are in `cluster.nodes`
"""

from __future__ import annotations

import contextlib
from itertools import pairwise
from secrets import token_hex
from types import TracebackType
from typing import Any, Self

from squads.testing.redis_binaries import Flavour, first_own
from squads.testing.redis_server import SLOTS, RedisServer


class RedisCluster:
    """A cluster of servers without replicas, from entering the block to leaving it."""

    def __init__(self, nodes: int = 3, flavour: Flavour | None = None, **options: Any) -> None:
        password = options.pop("password", None) or token_hex(16)
        cuts = [len(SLOTS) * n // nodes for n in range(nodes + 1)]
        self.nodes = [
            RedisServer(flavour or first_own(), cluster=range(start, end), password=password, **options)
            for start, end in pairwise(cuts)
        ]

    @property
    def url(self) -> str:
        """The address of its first node, with the password."""
        return self.nodes[0].url

    def start(self) -> Self:
        """Start all nodes and return when each says that the cluster is well."""
        for node in self.nodes:
            node.start()
        first = self.nodes[0]
        with contextlib.ExitStack() as opened:
            clients = [opened.enter_context(node.client()) for node in self.nodes]
            for client in clients[1:]:
                bus = int(clients[0].config_get("cluster-port")["cluster-port"])
                client.execute_command("CLUSTER", "MEET", first.host, first.port, bus)
            for client in clients:
                RedisServer.await_cluster(client)
        return self

    def close(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
