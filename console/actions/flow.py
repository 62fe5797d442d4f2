"""From a key to a committed change: freeze what is meant, show what would change, ask, and say what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from console.actions.action import Ask
from console.backends.port import Commands
from console.model.asks import PreviewCard, Receipt, Refused, Unreachable
from console.model.intents import Intent
from console.model.snapshot import Scene
from console.view.dialogs import preview_body, preview_summary
from console.view.spans import Spans
from console.widgets.dialog import Dialog, DialogContent, DialogResult, Option

CHALLENGE_ABOVE = 100
"""Instances above which the count has to be typed; in a production home it always has."""
_PAGES = 5


class Desk(Protocol):
    """What the flow needs of the app."""

    def commands(self) -> Commands:
        """Where changes are asked for."""

    def scene(self) -> Scene:
        """What is on the screen."""

    def say(self, text: str, token: str = "text") -> None:
        """Tells the operator."""

    def open_dialog(self, dialog: Dialog, then: Callable[[DialogResult | None], None]) -> None:
        """Shows a dialog."""

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Does something beside."""

    def add_intent(self, intent: Intent) -> None:
        """Shows that something was asked for."""

    def settle_intent(self, command_id: str, seq: int | None, run_id: str | None = None) -> None:
        """The commit that carries it out, or None when it came to nothing; and the run that it made."""

    def frame_sent(self) -> bool:
        """Whether the terminal has taken the last frame."""


class Flow:
    """One dialog, from its opening to the commit. What it is about does not change, whatever rows move meanwhile."""

    def __init__(self, desk: Desk, ask: Ask, production: bool, done: Callable[[], object] | None = None) -> None:
        """`done` is called once the command is committed."""
        self._desk = desk
        self._done = done
        self._ask = ask
        self._production = production
        self._generation = 0
        self._preview: PreviewCard | None = None
        self._dialog: Dialog | None = None
        self._options = tuple(Option(s.name, s.key, s.label, s.on, True, s.group) for s in ask.switches)

    def start(self) -> None:
        """Opens the dialog and asks for the first preview."""
        content = DialogContent(self._ask.title, verb=self._ask.does, options=self._options, note=self._ask.note)
        self._dialog = Dialog(content, on_options=self._switched, on_screen=self._desk.frame_sent)
        self._desk.open_dialog(self._dialog, self._closed)
        self._look(self._dialog.values)

    def _switched(self, dialog: Dialog, values: Mapping[str, bool]) -> None:
        self._look(values)

    def _look(self, values: Mapping[str, bool]) -> None:
        self._generation += 1
        self._preview = None
        self._desk.spawn(self._fetch(self._generation, dict(values)))

    async def _fetch(self, generation: int, values: Mapping[str, bool]) -> None:
        """A preview for the switches as they stood; one that comes too late is dropped."""
        try:
            preview = await self._whole(self._ask.arguments(values))
        except (Refused, Unreachable) as error:
            if generation == self._generation:
                self._show(refusal=str(error))
            return
        if generation == self._generation:
            self._preview = preview
            self._show()

    async def _whole(self, args: dict[str, Any]) -> PreviewCard:
        """The preview with the rows of a few pages more, so that a dialog can be scrolled through."""
        commands = self._desk.commands()
        preview = await commands.preview(self._ask.verb, self._ask.selection, args)
        rows, page = list(preview.rows), preview
        for _ in range(_PAGES):
            if page.more is None:
                break
            page = await commands.more(page)
            rows.extend(page.rows)
        return PreviewCard(
            preview.preview_id, preview.seq, preview.verb, preview.sentence, preview.total, preview.counts,
            tuple(rows), page.more, preview.kills, preview.reopens, preview.warnings,
            preview.code,
        )  # fmt: skip

    def _show(self, refusal: str = "") -> None:
        preview, dialog = self._preview, self._dialog
        if dialog is None or not dialog.is_attached:
            return
        challenge = ""
        if preview is not None and (preview.instances > CHALLENGE_ABOVE or (self._production and preview.total > 0)):
            challenge = str(preview.instances)

        def body(width: int) -> list[Spans]:
            return [] if preview is None else preview_body(preview, width)

        def summary(width: int) -> list[Spans]:
            return [] if preview is None else preview_summary(preview, width)

        dialog.show(
            DialogContent(
                self._ask.title,
                body=body,
                summary=summary,
                verb=self._ask.does,
                options=self._options,
                note=self._ask.note,
                challenge=challenge,
                asks=f"type {challenge}, the number of {_counted(preview)}, to confirm" if challenge else "",
                ready=preview is not None,
                refusal=refusal,
                tag=None if preview is None else preview.preview_id,
            )
        )

    def _closed(self, result: DialogResult | None) -> None:
        self._generation += 1
        preview = self._preview
        if result is None or preview is None or result.tag != preview.preview_id:
            return
        self._desk.spawn(self._carry_out(self._ask.arguments(result.options), preview, result.note))

    async def _carry_out(self, args: Mapping[str, Any], preview: PreviewCard, note: str) -> None:
        receipt = await carry_out(self._desk, self._ask, args, preview, note)
        if receipt is not None and self._done is not None:
            self._done()


def _counted(preview: PreviewCard | None) -> str:
    """What the number that has to be typed counts."""
    tasks = preview is not None and any(row.kind == "task" for row in preview.rows)
    return "task instances" if tasks else "rows"


async def carry_out(
    desk: Desk, ask: Ask, args: Mapping[str, Any], preview: PreviewCard | None, note: str = ""
) -> Receipt | None:
    """Sends the command and says what came of it; the intent stands until a picture shows the commit."""
    command_id = secrets.token_hex(16)
    scene = desk.scene()
    refs = ask.refs if preview is None else ask.refs | _refs(preview)
    desk.add_intent(Intent(command_id, ask.verb, ask.words, refs, scene.now))
    seen = scene.snapshot.seq if preview is None else preview.seq
    try:
        receipt = await desk.commands().command(
            ask.verb,
            ask.selection,
            args,
            command_id=command_id,
            seen_seq=seen,
            preview_id=None if preview is None else preview.preview_id,
            note=note or None,
        )
    except Refused as error:
        desk.settle_intent(command_id, None)
        desk.say(f"refused: {error}", "warn")
        return None
    except Unreachable as error:
        desk.settle_intent(command_id, None)
        desk.say(
            f"the link broke before the engine answered ({error}): look at the run again before you repeat it", "bad"
        )
        return None
    desk.settle_intent(command_id, receipt.seq, receipt.run_id)
    if receipt.skipped:
        desk.say(f"{receipt.message}; left alone: {', '.join(receipt.skipped)}", "warn")
    else:
        desk.say(receipt.message)
    return receipt


def _refs(preview: PreviewCard) -> frozenset[tuple[str, str, int]]:
    """Every row that the command was shown to change."""
    return frozenset(
        (row.run_id or row.dag_id, row.task_id or "", row.map_index if row.task_id else -1)
        for row in preview.rows
        if row.kind in ("task", "run", "dag")
    )
