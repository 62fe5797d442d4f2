"""One DAG."""

from __future__ import annotations

from console.actions.action import DAG, View

VIEW = View(DAG, "runs of a DAG", "console.screens.dag:DagPane", 2)
