"""What the engine has to say of itself: a few words in the header, and all of it above the DAGs."""

from __future__ import annotations

import textwrap

from console.model.snapshot import Scene
from console.view.spans import BAD, WARN, Spans

_WIDTH = 76
"""Fits the narrowest screen."""


def near(text: str, home: str) -> str:
    """A text in which paths of the home are short: whoever reads it knows where the home is."""
    return text.replace(f"{home}/", "")


def notices(scene: Scene) -> list[Spans]:
    """Lines that say why nothing starts, or what will go wrong; none while all is well."""
    gauges = scene.link.gauges
    if gauges is None or not scene.link.up:
        return []
    lines: list[Spans] = []
    for text, token in ((gauges.degraded and f"degraded: {gauges.degraded}", BAD), (gauges.warning, WARN)):
        wrapped = textwrap.wrap(text or "", _WIDTH, break_on_hyphens=False)  # whole paths: they are there to be copied
        lines += [((f"  {line}", token),) for line in wrapped]
    return lines
