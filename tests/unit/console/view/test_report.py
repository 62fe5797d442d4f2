"""A run's report: what it tells, and that nothing in it is markup but its own."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from console.model.home import HomeCard
from console.model.report import Act, Retelling, excerpt
from console.view.report import quoted, report
from engine.model.moments import MINUTE
from tests.support.console import HOSTILE, NOW, trades

HOME = HomeCard("etl-01", "/srv/etl")
ACT = Act(NOW - MINUTE, "ops2", "clear", "done", "2 task instances cleared", "source fixed")


def told(text: str = "ConnectionError: db-1:5432 refused") -> str:
    """The report of a failed run in which somebody has cleared something."""
    run = trades("failed")
    lines = {attempt.id: ("connecting", text) for _, attempt in quoted(run)}
    return report(HOME, run, Retelling((ACT,), lines), NOW)


@pytest.mark.parametrize(
    "line",
    [
        "# trades\\_us: failed",
        "- Run: `trades_us@7` (scheduled), home etl-01 (`/srv/etl`)",
        "- Took 58.0s; usually 58.0s (p50) to 1m22s (p95)",
        "- Address: `dagdeck --home /srv/etl open run/trades_us@7`",
        "| `load` | failed | 1 | 8.0s | 11.0s | 14.0s | 1.0s | 83M |",
        "- 2026-11-22 02:05:15 `load` try 1 **failed** after 8.0s: ConnectionError: db-1:5432 refused",
        "- 2026-11-22 02:13:07 **ops2**: clear",
        "- 2026-11-22 02:13:07 ops2 asked for clear, done: 2 task instances cleared: source fixed",
        "### `load`, try 1",
        "ConnectionError: db-1:5432 refused",
    ],
)
def test_a_report_tells_what_an_incident_needs(line: str) -> None:
    """Run and home, durations against what is usual, the timeline, what people did, and what the failure wrote."""
    assert line in told().split("\n")


def test_hostile_text_stays_text() -> None:
    """Fences are longer than any in the log, bars do not end cells, and no markup comes through."""
    run = trades("failed")
    evil = "a|b `c` <script> **d** [e](http://f)"
    load = run.tasks[4]._replace(attempts=(run.tasks[4].attempts[0]._replace(error=evil),))
    run = replace(run, tasks=(*run.tasks[:4], load, *run.tasks[5:]), note=evil, params='{"a": "``|"}')
    lines = {load.attempts[0].id: ("````", "# no heading")}
    text = report(HOME, run, Retelling((ACT._replace(note=evil),), lines), NOW)
    assert "`````text\n````\n# no heading\n`````" in text
    assert "<script>" not in re.sub(r"\\<", "", text) and "\\[e\\](http://f)" in text
    assert all(line.count("|") == 9 for line in re.sub(r"\\\|", "", text).split("\n") if line.startswith("| `"))


def test_an_excerpt_begins_where_the_fault_does() -> None:
    """A few lines before the first error; without one, the last lines; control characters are made visible."""
    log = b"".join(b"line %d\n" % n for n in range(100)) + b"ValueError: bad\n" + b"after\n" * 60
    found = excerpt(log)
    assert found[:4] == ("line 97", "line 98", "line 99", "ValueError: bad")
    assert found[-1] == "… 39 more lines"
    assert excerpt(b"".join(b"line %d\n" % n for n in range(100)))[-1] == "line 99"
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", "".join(excerpt(HOSTILE.encode())))
    assert excerpt(b"") == ()
