"""A tour through every view of the console, on a real store at a fixed moment: what stands on the screen at each stop.

`python -m tests.support.tour` writes the stops that are kept beside the tests anew: texts, and pictures of the small
screens.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from console import wire
from console.actions.views import VIEWS
from console.app import ConsoleApp
from console.backends.local import LocalBackend
from console.model.home import HomeCard
from console.model.place import ABOUT_A_DAG, Place
from console.theming import DEFAULT, Look, Palette, load_theme
from engine.model.dag import DagSpec
from engine.model.moments import HOUR, MINUTE, SECOND
from tests.support.console import HOSTILE
from tests.support.console_store import NOW, FilledHome, task

KEPT = Path(__file__).parents[1] / "console" / "stops"
PICTURES = KEPT.with_name("pictures")
SMALL = (80, 24)
"""The size of the screens of which pictures are kept, too."""
THEMES = ("contrast", "day", "mono", "safe", "sixteen")
"""In which a run is shown besides the theme that is there when nobody asks for one."""
SIZES = ((80, 24), (120, 36))
ORDINARY, EMPTY, EVIL = "ordinary", "empty", "hostile"
_PATIENCE = 40.0
_STILL = 3
_DIALOGS = {"why": "i", "help": "question_mark", "palette": "ctrl+p", "copy": "Y", "line": "colon", "filter": "slash"}
_CHANGES = {"clear": "c", "mark": "m", "trigger": "t"}
DAG_ID = "trades_us"


def dag(dag_id: str, text: str = "") -> DagSpec:
    """Four tasks in a row; every field that takes text holds this one."""
    tasks = [task("extract"), task("clean", "extract"), task("load", "clean", retries=2), task("report", "load")]
    spec = DagSpec(dag_id, f"{dag_id}.py", tasks, tags=[text or dag_id.partition("_")[0]], owner=text or "data")
    spec.schedule.expression = "10 * * * *"
    if text:
        spec.doc = text
        for each in tasks:
            each.doc = each.runbook = text
            each.owner = text
    return spec


async def furnish(root: Path, situation: str) -> FilledHome:
    """A home in one of the situations; its engine is gone."""
    filled = FilledHome(root)
    filled.now = NOW - 3 * HOUR
    await filled.open()
    code = root / "versions" / ("0" * 16) / f"{DAG_ID}.py"
    code.parent.mkdir(parents=True)
    code.write_text(
        f"from dagdeck import dag\n\n# {HOSTILE if situation == EVIL else 'four tasks in a row'}\n", "utf-8"
    )
    if situation != EMPTY:
        await _fill(filled, HOSTILE if situation == EVIL else "")
    filled.now = NOW
    await filled.close()
    return filled


async def _fill(filled: FilledHome, text: str) -> None:
    error = text or "ConnectionError: db-1:5432 refused"
    for dag_id in (DAG_ID, "fx_daily"):
        await filled.put_dag(dag(dag_id, text), due_in=3 * HOUR + 56 * MINUTE)
    await filled.put_dag(dag("legacy_export", text), paused=True, due_in=None)
    for back in (2, 1):
        filled.now = NOW - back * HOUR
        await filled.play(await filled.start(DAG_ID, NOW - (back + 1) * HOUR - 247 * SECOND), took=(6 + back) * SECOND)
    filled.now = NOW - 30 * MINUTE
    await filled.play(await filled.start("fx_daily", NOW - 2 * HOUR))
    filled.now = NOW - 247 * SECOND
    memory = await filled.start(DAG_ID, NOW - HOUR - 247 * SECOND)
    for task_id in ("extract", "clean"):
        await filled.claim(memory, task_id)
        await filled.end(memory, task_id, took=9 * SECOND)
    for _ in range(3):
        attempt = await filled.claim(memory, "load")
        filled.write_log(attempt, f"connecting host=db-1\nTraceback (most recent call last):\n{error}\n")
        await filled.end(memory, "load", took=10 * SECOND, code=1, error=error)
        retry = filled.instance(memory, "load").retry_at
        filled.now = retry or filled.now


def places(filled: FilledHome) -> dict[str, Place]:
    """Every view, at something to see where the home has that."""
    newest = next((run_id for run_id in reversed(filled.runs) if run_id.startswith(f"{DAG_ID}@")), None)
    found = {}
    for view in VIEWS:
        if view not in ABOUT_A_DAG and view != "schedule":
            found[view] = Place(view)
        elif newest is not None:
            named = view in ("run", "task", "log", "grid")
            found[view] = Place(view, DAG_ID, newest if named or view == "source" else None, "load" if named else None)
    return found


class _Elsewhere(LocalBackend):
    """A backend that calls its home by another path, so that screens read the same wherever it stands."""

    def _home_card(self) -> HomeCard:
        return replace(super()._home_card(), path="/srv/etl")


class Tour:
    """A console on a home's store, at the home's last moment."""

    def __init__(self, filled: FilledHome, size: tuple[int, int]) -> None:
        self._filled, self._size = filled, size
        self.stops: dict[str, str] = {}
        self.pictures: dict[str, str] = {}
        """Of small screens each stop as SVG."""

    async def go(self, changes: bool = False) -> dict[str, str]:
        """Visits every view, and every dialog of a run's view; gives the text of each stop."""
        home, now = self._filled.home, self._filled.now
        app = ConsoleApp(
            HomeCard("etl-01", "/srv/etl"),
            lambda: _Elsewhere(home, lambda: now),
            palette=Palette(load_theme(DEFAULT)),
            look=Look(),
            now=lambda: now,
        )
        try:
            async with app.run_test(size=self._size) as pilot:
                await self._still(app, lambda: not app.scene().loading)
                for view, place in places(self._filled).items():
                    app.go(place)
                    await self._stop(app, view, lambda view=view: app.stage.front.view == view)
                where = places(self._filled).get("run", Place("overview"))
                for name, key in (_DIALOGS | _CHANGES if changes else _DIALOGS).items():
                    app.go(where)
                    await self._still(app, lambda: True)
                    await pilot.press(key)
                    await self._stop(app, name, lambda: True)
                    await pilot.press("escape")
                    await self._still(app, lambda: app.screen is app.stage)
                if self._size == SMALL and where.view == "run":
                    for name in THEMES:
                        app.use_palette(Palette(load_theme(name)))
                        await self._still(app, lambda: True)
                        self.pictures[f"run-{name}"] = await _picture(app)
        finally:
            wire.uninstall()
        return self.stops

    async def _stop(self, app: ConsoleApp, name: str, there: Callable[[], bool]) -> None:
        self.stops[name] = await self._still(app, there)
        if self._size == SMALL:
            self.pictures[name] = await _picture(app)

    async def _still(self, app: ConsoleApp, there: Callable[[], bool]) -> str:
        """The screen once it is there and does not change any more."""
        before, same, keys = "", 0, False
        for _ in range(int(_PATIENCE / 0.03)):
            await asyncio.sleep(0.03)
            text = "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
            filling = app.scene().snapshot.filling or re.search(r"(?m)^ *reading$", text)
            same = same + 1 if text == before and there() and not filling else 0
            before = text
            if same >= _STILL and not keys:
                # Its second never passes here, so the key line would stay as it was before everything had come.
                keys, same, app.stage._keys_for = True, 0, None
                app.redraw()
            elif same >= _STILL:
                return text + "\n"
        raise AssertionError(f"the screen does not come to rest:\n{before}")


async def _picture(app: ConsoleApp) -> str:
    """The screen as SVG, once its colours do not change any more."""
    before = ""
    for _ in range(int(_PATIENCE / 0.03)):
        found = plain_svg(app.export_screenshot(title="dagdeck", simplify=True))
        if found == before:
            return found
        before = found
        await asyncio.sleep(0.03)
    raise AssertionError("the colours of the screen do not come to rest")


def plain_svg(svg: str) -> str:
    """The picture without what says nothing of the screen: fonts to be fetched, ids made of its content, clippings."""
    svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg)
    svg = re.sub(r"terminal-\d+-", "", svg)
    svg = re.sub(r'\s*<clipPath id="line-\d+">.*?</clipPath>', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#line-\d+\)"', "", svg)
    return re.sub(r"(</text>|/>)(?=<text|<rect)", r"\1\n", svg)


def kept_picture(situation: str, stop: str) -> Path:
    """Where the picture of a stop is kept."""
    return PICTURES / situation / f"{stop}.svg"


def kept(situation: str, size: tuple[int, int], stop: str) -> Path:
    """Where a stop is kept."""
    return KEPT / f"{situation}-{size[0]}x{size[1]}" / f"{stop}.txt"


def main() -> None:
    """Writes all stops that are kept."""
    for situation in (ORDINARY, EMPTY):
        with tempfile.TemporaryDirectory() as folder:
            filled = asyncio.run(furnish(Path(folder) / "home", situation))
            for size in SIZES:
                tour = Tour(filled, size)
                for stop, text in asyncio.run(tour.go()).items():
                    _write(kept(situation, size, stop), text)
                for stop, svg in tour.pictures.items():
                    _write(kept_picture(situation, stop), svg)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
