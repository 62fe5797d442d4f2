"""All DAGs, and what needs a person."""

from __future__ import annotations

from console.actions.action import OVERVIEW, View

VIEW = View(OVERVIEW, "overview", "console.screens.overview:OverviewPane", 1)
