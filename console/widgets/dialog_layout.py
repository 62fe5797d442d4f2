"""What a dialog says, as plain data, and its layout into lines. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from console.text import cut_end, fit, wrap
from console.widgets.edit import LineEdit
from console.widgets.spans import Span, Spans, spans_width

Lines: TypeAlias = Sequence[Spans] | Callable[[int], Sequence[Spans]]
"""Lines of a dialog, or what makes them for a width in cells."""

Field: TypeAlias = Literal["body", "note", "challenge"]
"""Where typed letters go."""

WIDEST = 96


@dataclass(frozen=True)
class Option:
    """A switch with its own letter. Of those that share a `group` exactly one is on."""

    name: str
    key: str
    label: str
    on: bool = False
    enabled: bool = True
    group: str = ""


@dataclass(frozen=True)
class DialogContent:
    """What a dialog shows. Every text in it is sanitised.

    `verb` is what Enter does; without one there is nothing to confirm. `ready` says that the body is complete: all that
    would change, or a count that says so. `tag` names what was worked out; while it stays the same, live figures in the
    body may change without making Enter wait again. `challenge` is what must be typed before Enter works.
    """

    title: str
    body: Lines = ()
    summary: Lines = ()
    verb: str = ""
    options: tuple[Option, ...] = ()
    note: bool = False
    challenge: str = ""
    asks: str = ""
    ready: bool = False
    waiting: str = "working out what this touches"
    refusal: str = ""
    tag: object = None


@dataclass(frozen=True)
class DialogResult:
    """What was confirmed: the switches, the note, and the tag of the content that stood there."""

    options: Mapping[str, bool]
    note: str
    tag: object


@dataclass
class DialogState:
    """What a person has done in a dialog so far."""

    values: dict[str, bool] = field(default_factory=dict)
    note: LineEdit = field(default_factory=lambda: LineEdit(most=500))
    typed: LineEdit = field(default_factory=lambda: LineEdit(most=300))
    at: Field = "body"
    scroll: int = 0


def box_size(content: DialogContent, state: DialogState, width: int, height: int) -> tuple[int, int]:
    """Width and height of the box, frame included, on a screen of that size."""
    box = max(min(width - 4, WIDEST), min(width, 20))
    inner = box - 4
    lines = len(_lines(content.body, inner)) + len(_fixed(content, state, inner, armed=False)) + 2
    return box, max(min(lines, height - 2), min(height, 6))


def lay_out(content: DialogContent, state: DialogState, width: int, height: int, *, armed: bool) -> list[Spans]:
    """The box's lines, each exactly `width` cells wide. Clamps how far the body is scrolled."""
    inner = width - 4
    body = _lines(content.body, inner)
    fixed = _fixed(content, state, inner, armed=armed)
    room = max(height - 2 - len(fixed), 1)
    state.scroll = max(0, min(state.scroll, len(body) - room))
    shown = list(body[state.scroll : state.scroll + room])
    shown += [()] * (room - len(shown))
    where = f" lines {state.scroll + 1}–{state.scroll + room} of {len(body)} " if len(body) > room else ""
    title = f" {cut_end(content.title, inner - 2)} "
    top: Spans = (
        ("┌", "accent"),
        (title, "accent bold"),
        ("─" * (width - 2 - spans_width(((title, ""),))) + "┐", "accent"),
    )
    bottom: Spans = (("└" + "─" * (width - 3 - len(where)), "accent"), (where, "dim"), ("─┘", "accent"))
    return [top, *(_framed(line, inner) for line in shown + fixed), bottom]


def _lines(lines: Lines, width: int) -> Sequence[Spans]:
    return lines(width) if callable(lines) else lines


def _fixed(content: DialogContent, state: DialogState, width: int, *, armed: bool) -> list[Spans]:
    """The lines below the body: summary, switches, fields, foot."""
    fixed: list[Spans] = []
    summary = _lines(content.summary, width)
    if summary:
        fixed += [(), *summary]
    if content.options:
        fixed += [(), *_options(content.options, state.values, width)]
    if content.note:
        fixed.append(_field("note", state.note, width, focused=state.at == "note", hint="n"))
    if content.challenge:
        asks = content.asks or f"type {content.challenge} to confirm"
        fixed.append(_field(asks, state.typed, width, focused=state.at == "challenge"))
    if content.refusal:
        fixed += [(), *(((text, "warn"),) for text in wrap(content.refusal, width))]
    return [*fixed, _foot(content, width, armed=armed)]


def _options(options: tuple[Option, ...], values: Mapping[str, bool], width: int) -> list[Spans]:
    lines: list[list[Span]] = [[]]
    for option in options:
        on = values.get(option.name, option.on)
        box = ("(•)" if on else "( )") if option.group else ("[x]" if on else "[ ]")
        drawn: list[Span] = [(box + " ", "text bold" if on and option.enabled else "dim"), *_label(option)]
        if lines[-1] and spans_width(lines[-1]) + 2 + spans_width(drawn) > width:
            lines.append([])
        if lines[-1]:
            lines[-1].append(("  ", "text"))
        lines[-1] += drawn
    return [tuple(line) for line in lines]


def _label(option: Option) -> list[Span]:
    """The label with its letter marked, or followed by the letter where it has none of that kind."""
    token = "text" if option.enabled else "dim"
    before, letter, after = option.label.partition(option.key)
    if not letter:
        before, after = f"{option.label} (", ")"
    marked = "accent bold underline" if option.enabled else "dim"
    return [span for span in ((before, token), (option.key, marked), (after, token)) if span[0]]


def _field(label: str, edit: LineEdit, width: int, *, focused: bool, hint: str = "") -> Spans:
    head = cut_end(label, max(width - 12, 4)) + "  "
    if not focused and not edit.text:
        empty = f"({hint} to write)" if hint else "…"
        return (head, "dim"), (fit(empty, width - spans_width(((head, ""),))), "dim")
    return (head, "text"), *edit.spans(width - spans_width(((head, ""),)), "text underline", focused=focused)


def _foot(content: DialogContent, width: int, *, armed: bool) -> Spans:
    keys: list[Span] = [("Esc", "accent bold"), (" cancel" if content.verb else " close", "text")]
    if content.verb and not content.refusal:
        keys += [("      ", "text"), ("Enter", "accent bold" if armed else "dim")]
        keys += [(f" {content.verb}", "text bold" if armed else "dim")]
    waiting = content.waiting if content.verb and not content.ready and not content.refusal else ""
    return (fit(waiting, max(width - spans_width(keys), 0)), "dim"), *keys


def _framed(line: Spans, inner: int) -> Spans:
    room = inner
    kept: list[Span] = [("│ ", "accent")]
    for text, token in line:
        size = spans_width(((text, token),))
        if size > room:
            text, size = fit(text, room), room
        kept.append((text, token))
        room -= size
    return (*kept, (" " * room + " ", "text"), ("│", "accent"))
