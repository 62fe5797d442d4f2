"""`python -m docs.picture`: takes the README's pictures of the console, from the real program on the demo's home."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyte

from benchmarks.probe import Probe
from console.cli.demo_home import furnish, tear_down

HERE = Path(__file__).parent
SIZE = (120, 34)
CELL, LINE, EDGE = 8.4, 18.0, 14.0
BACKGROUND, TEXT = "#101418", "#c8d0d8"
FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
NAMED = {
    "black": "#101418", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#c8d0d8",
}  # fmt: skip


def main() -> None:
    """Writes `console.svg` (the overview) and `run.svg` (a run with its graph) beside this file."""
    root = Path(tempfile.mkdtemp(prefix="dagdeck-demo-"))
    try:
        home = furnish(root, lambda line: print(line, file=sys.stderr))
        command = [str(Path(sys.executable).with_name("dagdeck")), "--home", str(home.root)]
        with Probe(command, size=SIZE) as probe:
            probe.painted("weather_daily")
            probe.rate(5.0)
            _write("console.svg", probe)
            for key in ("/", *"slow_steps", "enter", "enter"):
                probe.press(key)
                probe.read(0.2)
            probe.rate(3.0)
            _write("run.svg", probe)
    finally:
        tear_down(root)


def _write(name: str, probe: Probe) -> None:
    screen = pyte.Screen(*SIZE)
    pyte.ByteStream(screen).feed(bytes(probe.written))
    (HERE / name).write_text(svg(screen), encoding="utf-8")
    print(HERE / name)


def svg(screen: pyte.Screen) -> str:
    """A terminal's screen as a picture: runs of equal style as text, each as wide as its cells."""
    width, height = screen.columns * CELL + 2 * EDGE, screen.lines * LINE + 2 * EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="The console of dagdeck" font-family="{FONTS}" font-size="14">',
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{BACKGROUND}"/>',
    ]
    for number in range(screen.lines):
        parts += _line(number, [screen.buffer[number][column] for column in range(screen.columns)])
    return "\n".join([*parts, "</svg>", ""])


def _line(number: int, cells: list[Any]) -> Iterator[str]:
    top, column = EDGE + number * LINE, 0
    for look, run in groupby(cells, key=_look):
        text = "".join(cell.data for cell in run)
        size = len(text)
        ink, paper, weight = look
        x, wide = EDGE + column * CELL, size * CELL
        if paper != BACKGROUND:
            yield f'<rect x="{x:g}" y="{top:g}" width="{wide:g}" height="{LINE:g}" fill="{paper}"/>'
        if text.strip():
            lead = len(text) - len(text.lstrip())
            shown = text.strip()
            yield (
                f'<text x="{x + lead * CELL:.1f}" y="{top + 13.5:g}" fill="{ink}"{weight} xml:space="preserve" '
                f'textLength="{len(shown) * CELL:.1f}" lengthAdjust="spacingAndGlyphs">{escape(shown)}</text>'
            )
        column += size


def _look(cell: Any) -> tuple[str, str, str]:
    ink, paper = _colour(cell.fg, TEXT), _colour(cell.bg, BACKGROUND)
    if cell.reverse:
        ink, paper = paper, ink
    return ink, paper, ' font-weight="bold"' if cell.bold else ""


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return NAMED.get(name.removeprefix("bright"), f"#{name}")


if __name__ == "__main__":
    main()
