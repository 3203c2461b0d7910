"""Who is connected and who has which model, without ever scanning the nodes."""

import hmac
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from idleclaw_protocol.frame_reading import POLICY_VIOLATION
from idleclaw_protocol.frames import Register
from idleclaw_protocol.near_names import nearest_names
from idleclaw_server.aliases import AliasBook
from idleclaw_server.client_address import UNKNOWN_CLIENT, Client
from idleclaw_server.errors import NodeRefused
from idleclaw_server.fair_queue import FairQueue
from idleclaw_server.inference import NodeLink
from idleclaw_server.node import Node
from idleclaw_server.random_set import RandomSet
from idleclaw_server.speeds import NetworkSpeed
from idleclaw_server.standing import identity_of
from idleclaw_server.standings import Standings

TRY_AGAIN_LATER: Final = 1013
_NAMES_COMPARED: Final = 500


class ModelEntry:
    """One model name: its nodes in the order they came, those with a free slot, who waits.

    It is there as long as it has a node. `usable` are the nodes that are not out.
    """

    __slots__ = ("free", "name", "nodes", "queue", "speed", "usable")

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: dict[Node, None] = {}
        self.usable: dict[Node, None] = {}
        self.free: RandomSet[Node] = RandomSet()
        self.queue = FairQueue()
        self.speed = NetworkSpeed()

    @property
    def size(self) -> int:
        """The bytes of the model on disk, as the node says that came first."""
        return next(iter(self.nodes)).models[self.name].size

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What that node says, or lets guess, the model can do."""
        return next(iter(self.nodes)).capabilities(self.name)

    def has_untried(self, tried: set[str]) -> bool:
        """Whether some usable node, busy or not, has not been tried yet."""
        return any(node.node_id not in tried for node in islice(self.usable, len(tried) + 1))


class NodeRegistry:
    """The connected nodes, by connection, by node_id and by model.

    At most `max_nodes` are kept, `max_per_address` of one client (0: any number). Standings are
    remembered for twice as many identities.
    """

    def __init__(self, max_nodes: int, aliases: AliasBook, max_per_address: int = 0) -> None:
        self._max_nodes = max_nodes
        self._max_per_address = max_per_address
        self._per_address: Counter[str] = Counter()
        self._aliases = aliases
        self._standings = Standings(2 * max_nodes)
        self._nodes: dict[Node, None] = {}
        self._by_id: dict[str, Node] = {}
        self._by_alias: dict[str, Node] = {}
        self.models: dict[str, ModelEntry] = {}
        self.registered_total = 0

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._nodes

    def add(
        self, register: Register, link: NodeLink, now: float, client: Client = UNKNOWN_CLIENT
    ) -> tuple[Node, Node | None]:
        """List a node; return it and the connection it takes over from, if any.

        The old connection is not touched: the caller removes it after the new one is listed, so
        that a takeover can never leave nobody serving.

        Raises:
            NodeRefused: 1008 where a live node has this node_id and the secret is not its own, or
                its address has all the nodes it may have, 1013 where the router has all the nodes
                it can hold.
        """
        old = self._by_id.get(register.node_id)
        if old is not None and not _same_owner(old.secret, register.secret):
            raise NodeRefused(POLICY_VIOLATION, "node_id in use")
        if old is None and len(self._nodes) >= self._max_nodes:
            raise NodeRefused(TRY_AGAIN_LATER, "too many nodes")
        if self._max_per_address and not (old is not None and old.client.key == client.key):
            if self._per_address[client.key] >= self._max_per_address:
                raise NodeRefused(POLICY_VIOLATION, "too many nodes from this IP")
        alias = old.alias if old else self._aliases.alias(register.node_id, self._is_alias)
        standing = old.standing if old else self._standings.of(identity_of(register))
        node = Node(register, link, alias, now, client, standing)
        self._per_address[client.key] += 1
        self._nodes[node] = None
        self._by_id[node.node_id] = node
        self._by_alias[alias] = node
        for name in node.models:
            entry = self.models.setdefault(name, ModelEntry(name))
            entry.nodes[node] = None
            if not standing.is_out:
                entry.usable[node] = None
        self.registered_total += 1
        self.refresh(node)
        return node, old

    def remove(self, node: Node) -> list[ModelEntry]:
        """Forget this connection; return the models that nobody may be asked for any more.

        Removing one that is not listed does nothing: an old connection that ends after its
        takeover must not take the new one with it.
        """
        if node not in self._nodes:
            return []
        del self._nodes[node]
        self._standings.keep(node.identity, node.standing)
        self._per_address[node.client.key] -= 1
        if not self._per_address[node.client.key]:
            del self._per_address[node.client.key]
        if self._by_id.get(node.node_id) is node:
            del self._by_id[node.node_id]
        if self._by_alias.get(node.alias) is node:
            del self._by_alias[node.alias]
        orphans = []
        for name in node.models:
            entry = self.models[name]
            del entry.nodes[node]
            if self._take_out(node, entry):
                orphans.append(entry)
            if not entry.nodes:
                del self.models[name]
        return orphans

    def standing_changed(self, node: Node) -> list[ModelEntry]:
        """Take a node that went out from its models, or put it back; return as `remove` does."""
        if node not in self._nodes:
            return []
        entries = [self.models[name] for name in node.models]
        if node.standing.is_out:
            return [entry for entry in entries if self._take_out(node, entry)]
        for entry in entries:
            entry.usable[node] = None
        self.refresh(node)
        return []

    @staticmethod
    def _take_out(node: Node, entry: ModelEntry) -> bool:
        """Give a node no more requests for a model; tell whether it was the last one."""
        entry.free.discard(node)
        if node not in entry.usable:
            return False
        del entry.usable[node]
        return not entry.usable

    def refresh(self, node: Node) -> None:
        """Bring the free lists up to date after the node's slots changed."""
        if node not in self._nodes:
            return
        free = node.has_free_slot
        for name in node.models:
            if free:
                self.models[name].free.add(node)
            else:
                self.models[name].free.discard(node)

    def _is_alias(self, name: str) -> bool:
        return name in self._by_alias

    def nearest_names(self, model: str) -> tuple[str, ...]:
        """Return up to three existing names like `model`; at most 500 names are compared."""
        compared = islice(self.models.values(), _NAMES_COMPARED)
        return nearest_names(model, (entry.name for entry in compared if entry.usable))


def _same_owner(secret: str | None, offered: str | None) -> bool:
    if not secret or not offered:
        return False
    return hmac.compare_digest(secret.encode(), offered.encode())
