"""`python -m docs.picture`: takes pictures of all views of the console, from the real program and the demo's home."""

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
from console.actions.registry import ACTIONS
from console.actions.views import VIEWS
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


PAGE = "screens.md"
FOLDER = "screens"


def main() -> None:
    """Writes `console.svg` (the overview), `run.svg`, and a picture of every view with the page that shows them."""
    root = Path(tempfile.mkdtemp(prefix="dagdeck-demo-", dir="/tmp"))
    try:
        home = furnish(root, lambda line: print(line, file=sys.stderr))
        command = [str(Path(sys.executable).with_name("dagdeck")), "--home", str(home.root)]
        with Probe(command, size=SIZE) as probe:
            probe.painted("slots")
            probe.rate(5.0)
            _write("console.svg", probe)
            _write(f"{FOLDER}/overview.svg", probe)
            _type(probe, "/slow_steps\r")
            probe.press("enter")
            _settle(probe, f"{FOLDER}/run.svg")
            _write("run.svg", probe)
            for view in VIEWS:
                if view not in ("overview", "run"):
                    _type(probe, f":{view} slow_steps\r" if view == "dag" else f":{view}\r")
                    _settle(probe, f"{FOLDER}/{view}.svg")
                    _type(probe, "-")
                    probe.read(0.5)
            for name, key in (("boxes", "3"), ("gantt", "4")):
                _type(probe, key)
                _settle(probe, f"{FOLDER}/{name}.svg")
                _type(probe, key)
                probe.read(0.3)
        (HERE / PAGE).write_text(page(), encoding="utf-8")
    finally:
        tear_down(root)


def _type(probe: Probe, text: str) -> None:
    for key in text:
        probe.press("enter" if key == "\r" else key)
        probe.read(0.1)


def _settle(probe: Probe, name: str) -> None:
    probe.rate(2.5)
    _write(name, probe)


def page() -> str:
    """The page with the picture of every view, in the order in which views are listed."""
    lines = [
        "# The screens",
        "",
        "Every view of the console, as `python -m docs.picture` takes it from the demo. [Keys](keys.md) has what can",
        "be done there; `#` copies the address of what you see, and `dagdeck open ADDRESS` leads a colleague to it.",
    ]
    for view in VIEWS.values():
        opens = next((action for action in ACTIONS if action.opens == view.id and action.keys), None)
        how = "" if opens is None else f" `{opens.keys[0]}`: {opens.help}"
        lines += ["", f"## {view.title.capitalize()}", "", f"`:{view.id}`{how}", ""]
        lines += [f"![{view.title}]({FOLDER}/{view.id}.svg)"]
        if view.id == "run":
            lines += ["", "The same as boxes (`3`) and over time (`4`):", ""]
            lines += [f"![boxes]({FOLDER}/boxes.svg)", "", f"![over time]({FOLDER}/gantt.svg)"]
    return "\n".join([*lines, ""])


def _write(name: str, probe: Probe) -> None:
    screen = pyte.Screen(*SIZE)
    pyte.ByteStream(screen).feed(bytes(probe.written))
    (HERE / name).parent.mkdir(exist_ok=True)
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
