"""The form that starts a run by hand: a logical date and the DAG's parameters; what it would do is then shown."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from console.actions.action import Ask
from console.actions.asking import trigger, trigger_again
from console.actions.flow import Flow
from console.actions.views.limits import ask_answer, asked_of
from console.model.asks import Refused, Unreachable
from console.model.dags import ParamCard
from console.model.reading import safe
from console.model.runs import TriggerForm
from console.model.targets import Target
from console.text import cell_len, wrap
from console.view.spans import ACCENT, DIM, TEXT, WARN, Line, Spans
from console.widgets.dialog_layout import DialogContent, DialogState, box_size, lay_out
from console.widgets.edit import LineEdit
from console.widgets.lines import LineView
from console.widgets.sheet import Sheet

if TYPE_CHECKING:
    from console.app import ConsoleApp

DATE = "logical date"
_OPTION = "option"
_RULES = {
    "minimum": "at least",
    "maximum": "at most",
    "min_length": "length at least",
    "max_length": "length at most",
    "pattern": "matches",
    "format": "a",
}


Typed: TypeAlias = Mapping[str, str]
"""What was typed, by field."""
Refusal: TypeAlias = Callable[[Typed], Awaitable[str]]


def refusal_of(app: ConsoleApp, ask: Ask, given: Callable[[Typed], Mapping[str, Any]]) -> Refusal:
    """Says what speaks against a command with what was typed; empty when nothing does.

    `given` makes its arguments, and may itself refuse by a ValueError.
    """

    async def refusal(typed: Typed) -> str:
        try:
            args = given(typed)
        except ValueError as error:
            return str(error)
        try:
            await app.commands().preview(ask.verb, ask.selection, args)
        except (Refused, Unreachable) as error:
            return str(error)
        return ""

    return refusal


def open_form(app: ConsoleApp, target: Target) -> None:
    """Reads what the DAG wants to know, and opens the form."""
    app.spawn(_ask(app, target, None))


def open_again(app: ConsoleApp, target: Target) -> None:
    """The same, filled in with the params and the logical date of the run: it makes a new one."""
    app.spawn(_ask(app, target, target.run_id))


async def _ask(app: ConsoleApp, target: Target, like: str | None) -> None:
    backend = app.backend
    assert backend is not None and target.dag_id is not None  # the action needs a DAG and an engine
    try:
        form = await backend.form(target.dag_id, like)
    except LookupError as error:
        app.say(str(error), "warn")
        return
    ask = trigger(app.scene(), target) if like is None else trigger_again(app.scene(), target)
    refusal = refusal_of(app, ask, lambda typed: {**ask.args, **arguments(form, typed)})
    screen = Form(form, app.typed.get(form.like or form.dag_id, {}), refusal)
    app.push_screen(screen, lambda typed: _entered(app, ask, form, typed))


def _entered(app: ConsoleApp, ask: Ask, form: TriggerForm, typed: Mapping[str, str] | None) -> None:
    if typed is None:
        return
    app.typed[form.like or form.dag_id] = typed
    whole = replace(ask, args={**ask.args, **arguments(form, typed)})
    Flow(app, whole, app.scene().snapshot.home.production).start()


def open_answer(app: ConsoleApp, target: Target) -> None:
    """Reads what an approval asks, and opens its form: the option, then its params."""
    app.spawn(_ask_answer(app, asked_of(app.scene(), target)))


async def _ask_answer(app: ConsoleApp, target: Target) -> None:
    backend = app.backend
    assert backend is not None and target.run_id is not None and target.task_id is not None  # the action needs a task
    asked = (await backend.waiting(target.run_id, target.task_id, target.map_index)).question
    if asked is None:
        app.say(f"{target.task_id} waits for no answer any more", "warn")
        return
    choice = ParamCard(_OPTION, asked.options[0], True, {"enum": list(asked.options)})
    form = TriggerForm(asked.dag_id, "UTC", (choice, *asked.params), (asked.message,) if asked.message else ())
    ask = ask_answer(app.scene(), target)

    def entered(typed: Mapping[str, str] | None) -> None:
        if typed is not None:
            given = replace(ask, args=answer_arguments(form, typed))
            Flow(app, given, app.scene().snapshot.home.production).start()

    refusal = refusal_of(app, ask, lambda typed: answer_arguments(form, typed))
    app.push_screen(Form(form, {}, refusal, f"Answer ── {asked.task_id} of {asked.run_id}"), entered)


def answer_arguments(form: TriggerForm, typed: Mapping[str, str]) -> dict[str, Any]:
    """The option that was typed, and what of the form differs from its defaults."""
    others = replace(form, params=tuple(param for param in form.params if param.name != _OPTION))
    return {"option": typed.get(_OPTION, "").strip(), **arguments(others, typed)}


def arguments(form: TriggerForm, typed: Mapping[str, str]) -> dict[str, Any]:
    """The verb's arguments: only what differs from the defaults, as it was typed."""
    found: dict[str, Any] = {}
    if typed.get(DATE, "").strip() not in ("", form.date):
        found["logical_date"] = typed[DATE].strip()
    texts = {p.name: typed[p.name] for p in form.params if typed.get(p.name, default_text(p)) != default_text(p)}
    if texts:
        found["param_texts"] = texts
    return found


def default_text(param: ParamCard) -> str:
    """A parameter's default as it would be typed."""
    if param.default is None:
        return ""
    return safe(param.default if isinstance(param.default, str) else json.dumps(param.default))


def hint(param: ParamCard) -> str:
    """What may be typed for a parameter."""
    parts: list[str] = []
    choices = param.schema.get("enum")
    if isinstance(choices, list):
        parts.append("one of " + ", ".join(safe(choice) for choice in choices))
    elif param.schema.get("type"):
        kinds = param.schema["type"]
        parts.append(safe(" or ".join(kinds) if isinstance(kinds, list) else kinds))
    parts.extend(f"{words} {safe(param.schema[rule])}" for rule, words in _RULES.items() if rule in param.schema)
    if param.required:
        parts.append("required")
    if param.description:
        parts.append(param.description)
    return "; ".join(parts)


def field_of(error: str, names: Sequence[str]) -> int | None:
    """The field that a refusal is about: the one whose name it says first; None where it says none."""
    for before, after in (("'", "'"), (r"(?<![\w.-])", r"(?![\w.-])")):
        found = [
            (match.start(), at)
            for at, name in enumerate(names)
            if (match := re.search(before + re.escape(name) + after, error)) is not None
        ]
        if found:
            return min(found)[1]
    return None


class _Box(LineView, can_focus=False):
    DEFAULT_CSS = "_Box { width: auto; height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = []


class Form(Sheet[Mapping[str, str] | None], inherit_bindings=False):
    """One line for each field; Tab and the arrows move, Enter goes on, Esc cancels.

    `refusal` says what is wrong with what was typed, empty when nothing is: then the form ends, else it stays, with the
    words at the field that they are about.
    """

    DEFAULT_CSS = "Form { align: center middle; background: transparent; overflow: hidden; }"

    def __init__(
        self,
        form: TriggerForm,
        typed: Mapping[str, str],
        refusal: Refusal,
        title: str = "",
    ) -> None:
        """With a `title` of its own the form is about something else than a new run, and asks for no date."""
        super().__init__()
        self._form = form
        self.headline = title or (f"Trigger again ── {form.like}" if form.like else f"Trigger ── {form.dag_id}")
        self._refusal = refusal
        self._error = ""
        self._error_at: int | None = None
        self._asking = False
        self._fields: list[tuple[str, LineEdit, str]] = []
        if not title:
            words = f"2026-11-22T01:00 ({form.timezone}); empty: {'as that run' if form.like else 'last interval'}"
            self._fields.append((DATE, LineEdit(typed.get(DATE, form.date)), words))
        for param in form.params:
            text = typed.get(param.name, default_text(param))
            self._fields.append((param.name, LineEdit(text), hint(param)))
        self._at = 0
        self._box = _Box(cursor=False, gutter=False)

    def compose(self) -> ComposeResult:
        """The box alone."""
        yield self._box

    def on_mount(self) -> None:
        """Fill it."""
        self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size."""
        self._redraw()

    def _redraw(self) -> None:
        if not self.is_mounted or not self.size:
            return
        content = DialogContent(self.headline, body=self._lines, verb="see what it does", ready=True)
        state = DialogState()
        width, height = box_size(content, state, *self.size)
        state.scroll = max(2 * self._at - height // 2, 0)
        self._box.styles.width, self._box.styles.height = width, height
        self._box.show(list(enumerate(lay_out(content, state, width, height, armed=True))))

    def _lines(self, width: int) -> list[Spans]:
        names = max(cell_len(name) for name, _, _ in self._fields)
        lines: list[Spans] = [((text, DIM),) for doc in self._form.doc[:2] for text in wrap(doc, width)]
        if lines:
            lines.append(())
        for at, (name, edit, words) in enumerate(self._fields):
            here = at == self._at
            line = Line().cell(name, names, f"{ACCENT} bold" if here else TEXT).gap(2)
            for text, token in edit.spans(max(width - names - 2, 8), "text underline", focused=here):
                line.add(text, token)
            lines.append(line.done())
            if self._error and at == self._error_at:
                lines.extend(self._wrong(names + 2, width))
            elif words:
                room = max(width - names - 2, 8)
                lines += [Line().gap(names + 2).add(text, DIM).done() for text in wrap(words, room)]
        if self._error and self._error_at is None:
            lines += [(), *self._wrong(0, width)]
        return lines

    def _wrong(self, indent: int, width: int) -> list[Spans]:
        room = max(width - indent, 8)
        return [Line().gap(indent).add(text, WARN).done() for text in wrap(self._error, room)]

    async def _check(self) -> None:
        """Goes on with what was typed, or comes back to the field that is wrong."""
        typed = {name: edit.text for name, edit, _ in self._fields}
        self._error = await self._refusal(typed)
        self._asking = False
        if not self.is_attached:
            return
        if not self._error:
            self.dismiss(typed)
            return
        self._error_at = field_of(self._error, [name for name, _, _ in self._fields])
        self._at = self._at if self._error_at is None else self._error_at
        self._redraw()

    def on_key(self, event: events.Key) -> None:
        """Every key is the form's own."""
        event.stop()
        event.prevent_default()
        key, count = event.key, len(self._fields)
        if key == "escape":
            self.dismiss(None)
            return
        if self._asking:
            return
        if key == "enter":
            self._asking = True
            self.app.run_worker(self._check(), group="work", exit_on_error=True)
            return
        if key in ("tab", "down", "shift+tab", "up"):
            self._at = (self._at + (1 if key in ("tab", "down") else -1)) % count
        else:
            self._fields[self._at][1].key(key, event.character)
        self._redraw()

    def on_paste(self, event: events.Paste) -> None:
        """Into the field."""
        event.stop()
        self._fields[self._at][1].insert(event.text)
        self._redraw()
