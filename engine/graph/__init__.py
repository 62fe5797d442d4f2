"""The graph of a DAG: order, neighbours, ancestors and descendants of its tasks. Pure."""

from engine.graph.build import Graph, GraphError

__all__ = ["Graph", "GraphError"]
