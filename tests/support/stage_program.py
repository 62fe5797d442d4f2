"""A small console for tests in a pseudo terminal: `python -m tests.support.stage_program MODE [SEED] [FILE]`.

Modes: `timers` (16 timers of two cells at column 60, once a second, in 50 rows), `still` (the same without ticks),
`scribble` (random changes on key `s`), `flood` (a counter that changes all rows 60 times a second), `hostile` (every
widget full of text that nobody has sanitised), `stuck` and `fail` (the same as `still`).
Keys in all of them: `r` repaints every cell, `d` writes the screen's text into FILE, `b` blocks the event loop for a
minute, `x` raises, `q` leaves.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from pathlib import Path

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

import console.driver
import console.flight
import console.wire
from console.terminal import TerminalApp, run_console
from console.text import fit
from console.theming import Look
from console.widgets.dialog import Dialog, DialogContent, Option
from console.widgets.lines import LineView
from console.widgets.log import LogLine, LogView
from console.widgets.prompt import Prompt
from console.widgets.rows import Row
from console.widgets.status import BarLine

WORDS = ["load", "天気", "e\u0301", "✓", "►", "ﾊ", "👍", "0", "42", "  ", "─"]
TOKENS = ["text", "dim", "ok", "bad bold", "live", "accent underline"]


HOSTILE = [
    "\x1b]52;c;Y2FuYXJ5\x07canary",
    "\x1b]0;canary\x1b\\",
    "\x1b[2J\x1b[6n\x1b[31mcanary",
    "\x1bP+q544e\x1b\\\x1b_Gcanary\x1b\\\x1b^canary\x1b\\",
    "\x9b2J\x9d0;canary\x9c\x90canary\x9c",
    "a\rcanary\x08\x0b\x0c\x0e\x0f\x00\x7f",
    "\u202ecanary\u2066\u200b\u200d\ufe0f\U000e0041",
    "\udc80\udcff canary",
    "[/] [@click=app.quit]canary[/] [link=http://x]x[/link] \\[bold]",
    "e" + "\u0301" * 80,
    "天気" * 80,
]


class HostileLog:
    """The hostile lines as a log."""

    def end(self) -> int:
        return len(HOSTILE)

    def after(self, offset: int, count: int) -> list[LogLine]:
        found = range(offset, min(offset + count, len(HOSTILE)))
        return [LogLine(at, at + 1, HOSTILE[at].encode(errors="surrogateescape")) for at in found]

    def before(self, offset: int, count: int) -> list[LogLine]:
        return self.after(max(offset - count, 0), min(count, offset))


class DawdlingDriver(console.driver.ConsoleDriver):
    """A driver to which, when the terminal is 90 columns wide, another size comes while it takes this one."""

    def _get_terminal_size(self) -> tuple[int, int]:
        size = super()._get_terminal_size()
        while size[0] == 90 and super()._get_terminal_size() == size:
            pass
        return size


class StageProgram(TerminalApp[None]):
    """Two lists side by side under a bar; what happens in them depends on the mode."""

    CSS = """
    Screen { layout: vertical; layers: base above; }
    #left { width: 37; }
    #note { layer: above; offset: 30 5; width: 15; height: 3; background: #202830; }
    """

    def __init__(self, mode: str, seed: int, file: str) -> None:
        super().__init__(look=Look(monochrome="NO_COLOR" in os.environ, ascii_only="STAGE_ASCII" in os.environ))
        if mode == "dawdle":
            self.driver_class = DawdlingDriver
        self.mode, self.file = mode, file
        self.dice = random.Random(seed)
        self.count = 10
        self.bar = BarLine()
        self.left, self.right = LineView(id="left"), LineView(id="right")
        self.rounds = 0

    def compose(self) -> ComposeResult:
        yield self.bar
        if self.mode == "hostile":
            log = LogView(HostileLog())
            log.highlight(re.compile("canary"))
            log.border_title = HOSTILE[0]
            yield log
            yield Prompt(HOSTILE[0])
            yield Static(HOSTILE[2] + HOSTILE[8], markup=False)
        if self.mode != "scribble":
            yield self.right
            return
        with Horizontal():
            yield self.left
            yield self.right
        yield Static("above", id="note", markup=False)

    def on_mount(self) -> None:
        self.right.focus()
        if self.mode == "scribble":
            self.scribble(rows=60)
        elif self.mode == "hostile":
            self.right.show([Row(text, ((text, "bad"), (text, "ok"))) for text in HOSTILE])
            body = tuple(((text, "warn"),) for text in HOSTILE)
            options = (Option("x", "x", HOSTILE[0]),)
            self.push_screen(Dialog(DialogContent(HOSTILE[1], body, verb=HOSTILE[2], options=options, note=True)))
        else:
            self.tick()
        if self.mode == "timers":
            self.set_interval(1, self.tick)
        elif self.mode == "flood":
            self.set_interval(1 / 60, self.tick)
        self.bar.show((("stage ready", "accent"),), ((HOSTILE[3], "dim"),) if self.mode == "hostile" else ())

    def tick(self) -> None:
        self.count += 1
        flood = self.mode == "flood"
        self.right.show(
            [
                Row(at, ((f"task_{at:<54}", "text"), (str(self.count) if flood or at < 16 else "33", "live")))
                for at in range(50)
            ]
        )

    def scribble(self, rows: int) -> None:
        for view in (self.left, self.right):
            before = getattr(view, "told", dict.fromkeys(range(60), ()))
            for at in self.dice.sample(range(60), rows):
                before[at] = tuple(
                    ("".join(self.dice.choices(WORDS, k=self.dice.randint(1, 5))), self.dice.choice(TOKENS))
                    for _ in range(self.dice.randint(1, 8))
                )
            view.told = before  # type: ignore[attr-defined]
            view.show([Row(at, spans) for at, spans in before.items()])
        self.bar.show(
            (("round ", "dim"), (str(self.rounds), "text")), ((fit("天" * (self.rounds % 9), 12, cut="hard"), "ok"),)
        )

    def round(self) -> None:
        if self.rounds == 320:
            self.rounding.stop()
            self.bar.show((("scribbled", "text"),))
            return
        self.rounds += 1
        self.scribble(rows=self.dice.randint(1, 4))
        if self.rounds % 7 == 0:
            self.right.move(self.dice.randint(-9, 9))
        if self.rounds % 40 == 10:
            self.push_screen(Dialog(DialogContent("天気 dialog", ((("天" * 30, "warn"),),) * 6)))
        if self.rounds % 40 == 30:
            self.pop_screen()
        if self.rounds % 25 == 0:
            note = self.query_one("#note") if len(self.screen_stack) == 1 else None
            if note is not None:
                note.styles.offset = (self.dice.randint(0, 60), self.dice.randint(1, 18))

    def on_key(self, event: events.Key) -> None:
        if event.key == "s":
            self.rounding = self.set_interval(0.01, self.round)
        elif event.key == "r":
            self.repaint()
        elif event.key == "d":
            lines = [strip.text for strip in self.screen._compositor.render_strips()]
            Path(self.file).write_text("\n".join(lines), encoding="utf-8")
            self.bar.show((("written", "text"),))
        elif event.key == "b":
            time.sleep(60)
        elif event.key == "x":
            raise ValueError("broken \x1b]0;pwned\x07 handler")
        elif event.key == "q":
            self.exit()


if __name__ == "__main__":
    if "STAGE_STOCK" in os.environ:
        console.wire.TESTED = ()  # type: ignore[misc]
    if (patience := os.environ.get("STAGE_PATIENCE")) is not None:
        # However busy the machine is, an answer is waited for; or a short while only.
        console.driver._LAST_ANSWER = console.flight.Flight.patience = float(patience)  # type: ignore[misc]
    mode, seed, file = [*sys.argv[1:], "1", "/dev/null"][:3]
    sys.exit(run_console(StageProgram(mode, int(seed), file)))
