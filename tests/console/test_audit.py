"""The audit's view: who asked for what, and what came of it."""

from __future__ import annotations

from pathlib import Path

from console.actions.registry import BY_ID
from console.backends.pages import Pages
from console.backends.specs import Specs
from console.model.audit import Audit, AuditCard
from console.model.snapshot import Page
from console.model.targets import Target
from console.view.audit import rows
from console.view.spans import plain
from console.widgets.dialog import Dialog
from engine.model.moments import HOUR, SECOND
from engine.store.batch import Batch, CommandRow
from engine.store.reader import Reader
from tests.support.console import HOSTILE, NOW, console, scene, trades, world
from tests.support.console_store import FilledHome

CARDS = Audit((
    AuditCard(3, "c3", NOW - 5 * SECOND, "ana", "console", "clear", "done", "cleared 2 tasks", "db is back",
              "trades_us", "trades_us@7", "load", (("terminal", "pts/3"),)),
    AuditCard(2, "c2", NOW - HOUR, "bob", "cli", "hold", "done", "holds everything", None, None, None, None),
    AuditCard(1, "c1", NOW - 2 * HOUR, "bob", "cli", "pause", "refused", "no such DAG", None, "nosuch", None, None),
))  # fmt: skip


async def test_the_audit_lists_commands_opens_what_they_were_about_and_undoes_one() -> None:
    """`@`: newest first with outcome and note; `/` filters; `u` takes back the one under the cursor; Enter its run."""
    backend = world(trades("failed"))
    backend.verbs = backend.verbs | {"undo"}
    backend.pages["audit"] = lambda args: CARDS
    async with console(backend, (120, 30)) as screen:
        await screen.press("@")
        assert "3 commands" in screen.lines()[2]
        for words in ("ana (console)", "clear trades_us/load", "“db is back”  cleared 2 tasks", "refused"):
            assert words in screen.text, words
        await screen.press("u")
        assert isinstance(screen.app.screen, Dialog), screen.text
        assert "command 3" in screen.text
        await screen.press("escape", "i")
        for words in ("Command 3 ── clear trades_us@7/load", "terminal: pts/3", "note: db is back"):
            assert words in screen.text, words
        await screen.press("escape", "j", "u")
        assert "too late to take it back" in screen.text
        await screen.press("enter")
        assert "was about no DAG and no run" in screen.text
        await screen.press("/", *"ana", "enter")
        assert "1 of 3 rows" in screen.lines()[2]
        await screen.press("enter")
        assert screen.app.place.view == "run"
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "load", -1)
        await screen.press("escape")
        assert screen.app.place.view == "audit"


def test_undo_in_the_audit_names_the_command() -> None:
    """The engine is asked for this command, not for the newest."""
    shown = scene(page=Page("audit"), paged=CARDS)
    asked = BY_ID["audit.undo"].ask
    assert asked is not None
    assert asked(shown, Target("audit", attention="command:3")).args == {"command": 3}


async def test_the_page_is_read_from_the_store(tmp_path: Path) -> None:
    """What a person wrote comes sanitised, with the first thing that the command named."""
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    batch = Batch()
    batch.command = CommandRow(
        "id1", "clear", 1000, "ana", "console", NOW, "done", f"cleared {HOSTILE}",
        selector={"run_ids": ["trades_us@7"], "task_ids": ["load[3]"]}, note=HOSTILE,
        claimed={"SUDO_USER": HOSTILE, "host": "etl-01", "terminal": "pts/3"}, args={"force": True, "past": False},
    )  # fmt: skip
    await filled.commit(batch)
    without = (("backfill_pause", {"id": 7}), ("hold", {"scope": "pool", "pattern": "db"}))
    for number, (verb, args) in enumerate(without):
        batch = Batch()
        batch.command = CommandRow(f"more{number}", verb, 1000, "ana", "cli", NOW, "done", "done", args=args)
        await filled.commit(batch)
    await filled.close()
    reader = Reader(filled.home.database)
    try:
        found = Pages(reader, Specs(reader), lambda: NOW).refresh(Page("audit"), None)
    finally:
        reader.close()
    assert isinstance(found, Audit)
    *others, card = found.cards
    assert [each.limit for each in others] == ["db", "7"] and card.limit is None
    assert any("backfill_pause 7" in plain(spans) for _, spans in rows(scene(), found, 119))
    assert (card.dag_id, card.run_id, card.task) == ("trades_us", "trades_us@7", "load[3]")
    assert "\x1b" not in card.message + (card.note or "") + str(card.details)
    known = dict(card.details)
    assert (known["host"], known["terminal"], known["asked with"]) == ("etl-01", "pts/3", '{"force": true}')
