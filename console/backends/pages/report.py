"""Who did what to a run, for its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.model.reading import one_line, safe
from console.model.report import Act

if TYPE_CHECKING:
    from console.backends.pages import Reading

_MOST = 500


def read(reading: Reading) -> tuple[Act, ...]:
    """For (run id,): the commands that changed something of it, oldest first."""
    run = reading.rows.one("run", "run_by_run_id", {"run_id": reading.args[0]})
    if run is None:
        return ()
    rows = reading.rows.all("run", "acts", {"run": run[0], "count": _MOST})
    return tuple(
        Act(at, safe(who), safe(verb), safe(out), one_line(text), one_line(note or ""))
        for at, who, verb, out, text, note in rows
    )
