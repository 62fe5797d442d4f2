"""A small app around one widget, which records what the widget asks to be repainted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget

from console.theming import Palette, load_theme


class Stage(App[object]):
    """An app with nothing but the given widgets, one above the other."""

    CSS = "Screen { layout: vertical; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *widgets: Widget, monochrome: bool = False) -> None:
        super().__init__()
        self.palette = Palette(load_theme(), monochrome=monochrome)
        self._widgets = widgets
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def text(self) -> list[str]:
        """The screen's lines as plain text, without trailing blanks."""
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]

    def cell(self, x: int, y: int) -> tuple[str, bool, str]:
        """The character, whether it is reversed, and the colour behind one cell of the screen."""
        strip = self.screen._compositor.render_strips()[y].crop(x, x + 1)
        segment = next(iter(strip))
        style = segment.style
        ground = style.bgcolor.name if style is not None and style.bgcolor is not None else ""
        return segment.text, bool(style is not None and style.reverse), ground


@contextmanager
def repaints(widget: Widget) -> Iterator[list[Region]]:
    """The regions that the widget asks to have repainted inside the block; its whole size where it names none."""
    seen: list[Region] = []
    original = widget.refresh

    def refresh(*regions: Region, **options: bool) -> Widget:
        seen.extend(regions or (widget.size.region,))
        return original(*regions, **options)

    widget.refresh = refresh  # type: ignore[method-assign, assignment]
    try:
        yield seen
    finally:
        del widget.refresh


def area(regions: list[Region]) -> int:
    """The cells in these regions."""
    return sum(region.area for region in regions)
