"""Versions of code in words and lines: the source view, and what dialogs and the command line say of a version."""

from __future__ import annotations

from collections.abc import Sequence

from console.figures import clock, date
from console.model.source import CodeCard, Diff, SourceCard, VersionCard
from console.text import cell_len
from console.view.spans import ACCENT, BAD, DIM, OK, TEXT, WARN, Line, Spans, crop

Rows = list[tuple[tuple[str, str, int] | None, Spans]]
_SHORT = 7
_NAMED = 4


def commit_words(version: VersionCard) -> str:
    """`a1b9c3d by Ann`, `a1b9c3d by Ann, with uncommitted changes`; empty where nothing is known."""
    if version.commit is None:
        return ""
    by = f" by {version.author}" if version.author else ""
    return f"{version.commit[:_SHORT]}{by}{', with uncommitted changes' if version.dirty else ''}"


def diff_words(diff: Diff) -> str:
    """`2 files +4 −1, new task load`; `the same` where nothing differs."""
    if diff.same:
        return "the same"
    parts = []
    if diff.files:
        parts.append(f"{diff.files} file{'s' if diff.files != 1 else ''} +{diff.added} −{diff.removed}")
    for word, names in (("new", diff.new_tasks), ("gone", diff.gone_tasks), ("changed", diff.changed_tasks)):
        if names:
            shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
            parts.append(f"{word} task{'s' if len(names) != 1 else ''} {shown}")
    return ", ".join(parts) if parts else diff.note


def code_sentence(code: CodeCard) -> str:
    """With which code something would run again."""
    runs = f" for {code.runs} runs" if code.runs > 1 else ""
    after = code.after.number
    if code.after.id != code.before.id:
        commit = commit_words(code.after)
        said = f"code: version {code.before.number} > {after}{f' ({commit})' if commit else ''}{runs}: "
        said += diff_words(code.diff)
    elif code.current_number != after:
        said = f"code: stays version {after}{runs} until the run is over; the current one is {code.current_number}"
    else:
        said = f"code: same version ({after}){runs}"
    return f"{said}; its file cannot be loaded now, this is the last good version" if code.broken else said


def diff_lines(diff: Diff, most: int | None = None) -> list[Spans]:
    """A unified diff in colours; `most` bounds the lines."""
    shown = diff.lines[:most]
    lines: list[Spans] = [((line, _token(line)),) for line in shown]
    left = len(diff.lines) - len(shown)
    return [*lines, ((f"… and {left} more lines", DIM),)] if left > 0 else lines


def _token(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return f"{DIM} bold"
    return {"+": OK, "-": BAD, "@": ACCENT}.get(line[:1], TEXT)


def title(card: SourceCard | None, dag_id: str, run_id: str | None, width: int) -> tuple[Spans, Spans]:
    """Which version of which DAG, where it comes from, and which run used it."""
    left = Line().add(" ").add(dag_id, f"{TEXT} bold")
    if card is None:
        return left.done(), ()
    left.add(" > ", DIM).add(f"version {card.shown.number}", f"{TEXT} bold")
    left.add(f"   {card.file}", DIM)
    commit = commit_words(card.shown)
    if commit and width >= 100:
        left.add(f"   {commit}", WARN if card.shown.dirty else DIM)
    right = Line()
    if run_id is not None and width >= 120:
        right.add(f"used by {run_id}", DIM).gap(3)
    if card.current.id == card.shown.id:
        right.add("the current version", OK)
    else:
        right.add(f"current is version {card.current.number}", WARN)
    return left.done(), right.add(" ").done()


def facts(card: SourceCard | None, comparing: bool) -> Spans:
    """What the rule says: what is shown, and since when the version has been known."""
    if card is None or card.trouble:
        return ()
    since = f"loaded {date(card.shown.created_at)} {clock(card.shown.created_at)} UTC"
    if comparing:
        return ((f"version {card.shown.number} > {card.current.number}: {diff_words(card.diff)}", TEXT),)
    count = sum(len(lines) for _, lines in card.files)
    files = f"{len(card.files)} file{'s' if len(card.files) != 1 else ''}"
    return ((f"{files}   {count:,} lines   ", TEXT), (since, DIM))


def source_rows(card: SourceCard, comparing: bool, width: int) -> Rows:
    """All rows of the view: the files with their line numbers, or the difference to the current version."""
    if card.trouble:
        return [(None, ((card.trouble, WARN),))]
    if comparing:
        return _diff_rows(card, width)
    rows: Rows = []
    made = {line: task for task, line in card.task_lines.items()}
    for name, lines in card.files:
        if rows:
            rows.append((None, ()))
        rows.append(
            (("file", name, 0), crop(((f"─ {name} ", DIM), ("─" * max(width - cell_len(name) - 3, 0), "rule")), width))
        )
        digits = max(len(str(len(lines))), 4)
        for number, line in enumerate(lines, 1):
            mark = ACCENT if name == card.file and number in made else DIM
            token = DIM if line.lstrip().startswith("#") else TEXT
            rows.append((("line", name, number), crop(((f"{number:>{digits}}  ", mark), (line, token)), width)))
    return rows


def _diff_rows(card: SourceCard, width: int) -> Rows:
    if card.current.id == card.shown.id:
        return [(None, ((f"version {card.shown.number} is the current version: nothing has changed since", DIM),))]
    rows: Rows = [(None, ((_from_to(card.shown, card.current), DIM),)), (None, ())]
    changed: Sequence[tuple[str, tuple[str, ...], str]] = (
        ("new task", card.diff.new_tasks, OK),
        ("task that is gone", card.diff.gone_tasks, BAD),
        ("task defined anew", card.diff.changed_tasks, ACCENT),
    )
    for word, names, token in changed:
        rows += [(("task", name, 0), crop(((f"{word}  ", DIM), (name, token)), width)) for name in names]
    if card.diff.note:
        rows.append((None, ((card.diff.note, WARN),)))
    if len(rows) > 2:
        rows.append((None, ()))
    rows += [(("diff", "", at), crop(line, width)) for at, line in enumerate(diff_lines(card.diff))]
    return rows


def _from_to(shown: VersionCard, current: VersionCard) -> str:
    def words(version: VersionCard) -> str:
        commit = commit_words(version)
        return f"version {version.number}{f' ({commit})' if commit else ''}"

    return f"from {words(shown)} to {words(current)}, the current one"
