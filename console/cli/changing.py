"""Asking an engine for a change: preview, question, command. The same steps for every changing verb."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from console.cli.errors import CliError, Exit, Refused
from console.cli.link import EngineLink
from console.cli.options import Asking
from console.cli.output import Column, clean, emit_json, paint, say, table, warn
from console.cli.reading import open_store
from console.cli.session import Session
from console.cli.source import diff_json, diff_line

if TYPE_CHECKING:
    from console.model.source import CodeCard
    from engine.control.protocol import Done, Effect, Preview, Selector
    from engine.home import Home

_DIFF_LINES = 60
MANY = 100
"""Above so many rows, and in a production home above one, the number is typed instead of `y`."""


def change(session: Session, verb: str, selector: Selector, args: dict[str, Any], asking: Asking) -> Done | None:
    """Does what was asked for, after the question where one is due. None when only the preview was wanted.

    Raises Refused when the operator says no, and the client's errors when the engine does.
    """
    home = session.home
    with EngineLink(home) as link:
        preview = link.preview(verb, selector, args)
        code = code_cards(home, preview)
        if asking.dry_run:
            show_all(link, preview, asking, code)
            return None
        if not asking.yes:
            _show(preview, code)
            confirm(sum(preview.counts.values()) or preview.total, production=session.settings.production)
        done = link.command(verb, selector, args, preview, asking.note)
        if code:
            done.result["code"] = [code_json(card) for card in code]
        return done


def report(done: Done | None, asking: Asking) -> None:
    """Says what was done, and which rows were left alone because they had moved."""
    if done is None:
        return
    if asking.as_json:
        emit_json(
            {
                "message": done.message,
                "changed": done.changed,
                "skipped": done.skipped,
                "seq": done.seq,
                **done.result,
            }
        )
        return
    say(clean(done.message))
    for code in done.result.get("code", ()):
        if code["before"] != code["after"]:
            numbers = f"--from {code['before']} --to {code['after']}"
            say(f"+{code['added']} −{code['removed']} lines: dagdeck dags diff {clean(code['dag_id'])} {numbers}")
    for row in done.skipped:
        warn(f"left alone: {row}")


def confirm(total: int, *, production: bool) -> None:
    """Asks the operator. Raises Refused on any other answer than yes, CliError where nobody can be asked."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CliError("there is no terminal to ask on: say --yes to act, or --dry-run to look", Exit.USAGE)
    if total > MANY or (production and total > 1):
        question, wanted = f"Type {total} to confirm: ", {str(total)}
    else:
        question, wanted = "Do it? [y/N] ", {"y", "yes"}
    sys.stderr.write(question)
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer not in wanted:
        raise Refused("nothing was changed")


def code_cards(home: Home, preview: Preview) -> list[CodeCard]:
    """With which code what is asked for runs again, and what has changed in it."""
    if not preview.code:
        return []
    # Imported on first use: most verbs run nothing again.
    from console.backends.sources import code_card

    with open_store(home) as store:
        return [code_card(store, home.versions, code) for code in preview.code]


def code_json(card: CodeCard) -> dict[str, Any]:
    """The code that runs again, under the stable keys."""
    return {
        "dag_id": card.dag_id,
        "runs": card.runs,
        "before": card.before.number,
        "after": card.after.number,
        "current": card.current_number,
        "broken": card.broken,
        **diff_json(card.diff),
    }


def show_all(link: EngineLink, preview: Preview, asking: Asking, code: list[CodeCard]) -> None:
    """The whole preview, every page of it, as text or JSON."""
    rows = list(preview.rows)
    page = preview
    while page.more:
        page = link.more(page)
        rows += page.rows
    if asking.as_json:
        emit_json(
            {
                "dry_run": True,
                "verb": preview.verb,
                "sentence": preview.sentence,
                "total": preview.total,
                "counts": preview.counts,
                "kills": preview.kills,
                "reopens": preview.reopens,
                "takes": None if preview.takes is None else round(preview.takes / 1_000_000, 3),
                "warnings": preview.warnings,
                "seq": preview.seq,
                "rows": [effect_json(row) for row in rows],
                "code": [code_json(card) for card in code],
            }
        )
        return
    preview.rows = rows
    preview.more = None
    _show(preview, code)
    say(paint("nothing was changed (--dry-run)", None, dim=True))


def _show(preview: Preview, code: list[CodeCard]) -> None:
    say(paint(clean(preview.sentence), None, bold=True))
    if preview.rows:
        columns = [
            Column("what"),
            Column("state", state=True),
            Column("becomes", state=True),
            Column(""),
        ]
        table(columns, [(_name(row), row.state, row.becomes, _remark(row)) for row in preview.rows])
    left = preview.total - len(preview.rows)
    if preview.more and left > 0:
        say(f"… and {left} more")
    if code:
        from console.view.source import code_sentence

        for card in code:
            say(paint(clean(code_sentence(card)), "yellow" if card.after.id != card.before.id else None))
            for line in card.diff.lines[:_DIFF_LINES]:
                say(f"  {diff_line(line)}")
            if len(card.diff.lines) > _DIFF_LINES:
                left = len(card.diff.lines) - _DIFF_LINES
                numbers = f"--from {card.before.number} --to {card.after.number}"
                say(f"  … and {left} more lines: dagdeck dags diff {card.dag_id} {numbers}")
    for warning in preview.warnings:
        warn(warning)


def _name(row: Effect) -> str:
    parts = [row.run_id or row.dag_id]
    if row.task_id is not None:
        parts.append(row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]")
    return " ".join(parts)


def _remark(row: Effect) -> str:
    return ", ".join(part for part in ("its process is killed" if row.kills else "", row.detail) if part)


def effect_json(row: Effect) -> dict[str, Any]:
    """One row of a preview under the stable keys."""
    return {
        "kind": row.kind,
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task_id": row.task_id,
        "map_index": row.map_index,
        "state": row.state,
        "becomes": row.becomes,
        "kills": row.kills,
        "detail": row.detail,
    }
