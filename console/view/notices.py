"""What the engine has to say of itself, and why the store cannot be read: all of it stands above the DAGs."""

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
    """Lines that say why nothing starts or is shown, or what will go wrong; none while all is well."""
    gauges = scene.link.gauges if scene.link.up else None
    told = []
    if gauges is not None:
        told = [(f"degraded: {gauges.degraded}" if gauges.degraded else "", BAD), (gauges.warning or "", WARN)]
    trouble = scene.snapshot.trouble or ""
    if not any(trouble in text for text, _ in told):  # else the engine has said it
        told.insert(0, (trouble, BAD))
    lines: list[Spans] = []
    for text, token in told:
        wrapped = textwrap.wrap(text, _WIDTH, break_on_hyphens=False)  # whole paths: they are there to be copied
        lines += [((f"  {line}", token),) for line in wrapped]
    return lines
