"""Dependencies as they are now: of the whole fleet (`Graph`), and of one service."""

from __future__ import annotations

from typing import Literal, cast

from azora_orchestrator._html import colored, table
from azora_orchestrator._record import Record
from azora_orchestrator.vocabulary import Lifecycle, Status

__all__ = ["Dependencies", "DependencyState", "Graph", "GraphEdge", "GraphNode", "TreeNode"]


class GraphNode(Record):
    """One service of a graph, or one entry with all its instances."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """Id of the service or the entry."""
        return str(self._data["id"])

    @property
    def type(self) -> str:
        """Type of the service."""
        return str(self._data["type"])

    @property
    def status(self) -> Status:
        """What is believed about it; of an entry: the worst or a summary of its instances."""
        return cast(Status, self._data["status"])

    @property
    def lifecycle(self) -> Lifecycle:
        """What is being done about it."""
        return cast(Lifecycle, self._data["lifecycle"])

    @property
    def rank(self) -> int:
        """Longest chain of dependencies below it; 0: it needs nothing."""
        return int(self._data["rank"])

    @property
    def instances(self) -> tuple[str, ...]:
        """Of an entry with replicas: ids of its instances; else empty."""
        return tuple(self._data.get("instances", ()))

    @property
    def ready(self) -> int | None:
        """Of an entry with replicas: how many instances are ready; else None."""
        return self._data.get("ready")


class _Terms(Record):
    """The terms of a dependency."""

    __slots__ = ()

    @property
    def condition(self) -> Literal["started", "healthy", "completed"]:
        """State that the dependency must reach."""
        return cast(Literal["started", "healthy", "completed"], self._data["condition"])

    @property
    def strength(self) -> Literal["hard", "soft"]:
        """`hard`: the start waits for it; `soft`: it only orders the start."""
        return cast(Literal["hard", "soft"], self._data["strength"])

    @property
    def min(self) -> int:
        """How many instances of the dependency must reach the condition."""
        return int(self._data["min"])

    @property
    def satisfied(self) -> bool:
        """Whether the condition holds now."""
        return bool(self._data["satisfied"])


class GraphEdge(_Terms):
    """One dependency in a graph: `source` needs `target`."""

    __slots__ = ()

    @property
    def source(self) -> str:
        """Id of the service that depends; `from` on the wire."""
        return str(self._data["from"])

    @property
    def target(self) -> str:
        """Id of the service or entry that is needed; `to` on the wire."""
        return str(self._data["to"])

    @property
    def instance(self) -> str | None:
        """Id of the instance, where one instance of an entry is needed; else None."""
        return self._data.get("instance")


class Graph(Record):
    """The dependencies of all services: the answer of `GET /graph`."""

    __slots__ = ()

    @property
    def nodes(self) -> tuple[GraphNode, ...]:
        """Services and entries, in order of registration."""
        return tuple(map(GraphNode, self._data["nodes"]))

    @property
    def edges(self) -> tuple[GraphEdge, ...]:
        """Dependencies; `target` may be a service that is not registered."""
        return tuple(map(GraphEdge, self._data["edges"]))

    @property
    def start_order(self) -> tuple[str, ...]:
        """Ids in the order in which a start of all of them goes."""
        return tuple(self._data["startOrder"])

    def node(self, id: str) -> GraphNode:
        """Return the node of a service or entry.

        Args:
            id: Id of the service or entry.

        Raises:
            KeyError: The graph has no such node.
        """
        for node in self._data["nodes"]:
            if node["id"] == id:
                return GraphNode(node)
        raise KeyError(id)

    def __repr__(self) -> str:
        return f"<Graph of {len(self._data['nodes'])} nodes, {len(self._data['edges'])} edges>"

    def _repr_html_(self) -> str:
        needs: dict[str, list[str]] = {}
        for edge in self.edges:
            mark = "" if edge.satisfied else " (not satisfied)"
            needs.setdefault(edge.source, []).append((edge.instance or edge.target) + mark)
        nodes = {node.id: node for node in self.nodes}
        return table(
            ("start", "service", "status", "lifecycle", "needs"),
            (
                (
                    place,
                    id,
                    colored(nodes[id].status),
                    nodes[id].lifecycle,
                    ", ".join(needs.get(id, ())),
                )
                for place, id in enumerate(self.start_order, 1)
                if id in nodes
            ),
        )


class DependencyState(_Terms):
    """One dependency of a service, as it is now."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """Id of the service that is needed."""
        return str(self._data["id"])

    @property
    def missing(self) -> bool:
        """Whether no such service is registered."""
        return bool(self._data["missing"])

    @property
    def status(self) -> Status:
        """What is believed about the service that is needed."""
        return cast(Status, self._data["status"])


class TreeNode(Record):
    """One line of a tree of dependencies."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """Id of the service."""
        return str(self._data["id"])

    @property
    def depth(self) -> int:
        """Number of steps from the service at the top, which has 0."""
        return int(self._data["depth"])

    @property
    def missing(self) -> bool:
        """Whether no such service is registered."""
        return bool(self._data["missing"])


class Dependencies(Record):
    """What one service needs and which services need it: `GET /services/{id}/dependencies`."""

    __slots__ = ()

    @property
    def service_id(self) -> str:
        """Id of the service."""
        return str(self._data["serviceId"])

    @property
    def dependencies(self) -> tuple[DependencyState, ...]:
        """What it needs, directly."""
        return tuple(map(DependencyState, self._data["dependencies"]))

    @property
    def dependents(self) -> tuple[str, ...]:
        """Ids of the services and entries that need it, directly."""
        return tuple(self._data["dependents"])

    @property
    def tree(self) -> tuple[TreeNode, ...]:
        """All that it needs, depth first: each service comes before what it needs."""
        return tuple(map(TreeNode, self._data["tree"]))

    def __repr__(self) -> str:
        return f"<Dependencies of {self.service_id}: {len(self.tree) - 1} in all>"

    def _repr_html_(self) -> str:
        return table(
            ("service", "condition", "strength", "satisfied", "status"),
            (
                (one.id, one.condition, one.strength, one.satisfied, colored(one.status))
                for one in self.dependencies
            ),
            f"{self.service_id} needs:",
        )
