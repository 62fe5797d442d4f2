"""`dagdeck verify`: the home against everything that must hold of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.errors import Exit, NotFound
from console.cli.faults import explain
from console.cli.link import engine_pid
from console.cli.options import reading
from console.cli.output import clean, complain, emit_json, paint, say
from console.cli.reading import no_store
from console.cli.session import Session, pass_session

if TYPE_CHECKING:
    from engine.upkeep.evidence import Problem

_COLOURS = {"wrong": "red", "note": "yellow"}


@click.command("verify")
@reading
@pass_session
def verify_home(session: Session, as_json: bool) -> int:
    """Check everything that must hold: the store's file and rows, the state of every run, and the evidence on disk.

    It changes nothing, and says what would repair each thing that it finds. It reads everything, so it takes its time
    on a large home. Exit code 1 if something does not hold, or the store cannot be read, 3 without a home, 4 without a
    store. With --json all of that is one document.
    """
    try:
        found = _found(session)
    except Exception as error:
        known = explain(error)
        if known is None or not as_json:
            raise
        problem = {"verdict": "wrong", "rule": "file", "text": str(known), "remedy": None}
        emit_json({"ok": False, "problems": [problem]})
        complain(str(known))
        return int(known.code)
    wrong = [each for each in found if each.verdict == "wrong"]
    if as_json:
        listed = [
            {"verdict": each.verdict, "rule": each.rule, "text": each.text, "remedy": each.remedy} for each in found
        ]
        emit_json({"ok": not wrong, "problems": listed})
        return int(Exit.FAILED if wrong else Exit.DONE)
    remedy = ""
    for each in sorted(found, key=lambda each: (each.verdict, each.remedy), reverse=True):
        say(f"{paint(each.verdict.ljust(5), _COLOURS[each.verdict])}  {clean(each.text)}")
        if each.remedy != remedy:
            say(f"       {clean(each.remedy)}")
        remedy = each.remedy
    if not wrong:
        say("the store holds: rows, history, audit, state and evidence agree")
    return int(Exit.FAILED if wrong else Exit.DONE)


def _found(session: Session) -> list[Problem]:
    from engine.upkeep.evidence import verify

    home = session.home
    if home.store_is_lost or not home.database.exists():
        raise NotFound(no_store(home))
    return list(verify(home, engine_runs=engine_pid(home) is not None))
