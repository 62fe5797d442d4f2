"""The overview as text: columns, attention, what a DAG does now; and what a calm screen never shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.actions.registry import BY_ID
from console.actions.views.limits import asked_of
from console.backends.picture import RECENT_RUNS
from console.model.attention import attention
from console.model.dags import ActiveRun, DagCard, DagStats, Failure, ImportProblem, LiveTask
from console.model.home import RecoveryCard
from console.model.intents import Intent, Intents
from console.model.snapshot import Scene
from console.model.targets import Target
from console.text import cell_len
from console.view.overview import Overview, in_order, layout, run_bars, summary
from console.view.sieve import Sifter
from console.view.spans import plain, width_of
from console.view.why import why_attention
from engine.model.moments import HOUR, MINUTE, SECOND
from engine.model.terms import parse_terms
from tests.support.console import LOGICAL, NOW, dag, mark, scene

ERROR = "ConnectionError: db-1:5432 refused"
FAILED = (
    Failure("fx_daily", 8, "fx_daily@8", "load", -1, "failed", ERROR, NOW - 190 * SECOND),
    Failure("trades_us", 7, "trades_us@7", "load", -1, "up_for_retry", ERROR, NOW - 250 * SECOND, NOW + 74 * SECOND),
)
GOOD = tuple(mark(n, "fx_daily") for n in range(13))
STATS = DagStats(58 * SECOND, 82 * SECOND, 40, 99, 1)


def live(state: str, task_id: str = "load", **more: object) -> LiveTask:
    """A live task of run 7."""
    task = LiveTask(1, 7, task_id, -1, state, 3, 0, 6, None, None, NOW - 72 * SECOND, (), None)
    return task._replace(**more)  # type: ignore[arg-type]  # fields as named


def active(*tasks: LiveTask, state: str = "running", counts: dict[str, int] | None = None) -> ActiveRun:
    """An active run of trades_us with five of eight tasks done."""
    return ActiveRun(mark(7, "trades_us", state), counts or {"success": 5, "up_for_retry": 1, "none": 2}, tasks)


def busy() -> Scene:
    """Two DAGs: one has failed, one waits for its retry."""
    retrying = live("up_for_retry", retry_at=NOW + 74 * SECOND)
    return scene(
        dag("fx_daily", recent=(*GOOD, mark(8, "fx_daily", "failed")), stats=STATS, tags=("fx",)),
        dag("trades_us", recent=(mark(7, "trades_us", "running"),), active=(active(retrying),), stats=STATS),
        failures=FAILED,
    )


def rows(found: Scene, width: int) -> str:
    """The overview as text."""
    overview = Overview(found)
    return "\n".join(plain(overview.row(at, width)) for at in range(len(overview)))


def test_a_narrow_overview() -> None:
    """At 80 columns names, bars, what happens now, what comes next and the usual duration remain."""
    assert rows(busy(), 79) == (
        "✘ 1+1↻  ConnectionError: db-1:5432 refused        2 DAGs                    4m\n"
        "\n"
        "DAG        runs     now                                  next              p50\n"
        "fx_daily   ▇▇▇▇▇▇✘  ✘ load  3m                           03:10  56m        58s\n"
        "trades_us        ►  ↻ 5/8  load 4/6 1:14                 03:10  56m        58s"
    )  # fmt: skip


def test_a_wide_overview() -> None:
    """At 120 columns there are more runs, the 95th percentile, the success rate and the tags."""
    attention_row, blank, titles, failed, retrying = rows(busy(), 119).split("\n")
    assert attention_row.startswith("✘ 1 failed + 1 in retry  ConnectionError: db-1:5432 refused ")
    assert attention_row.endswith(" 2 DAGs                                   since 02:09") and blank == ""
    assert titles.split() == ["DAG", "last", "14", "runs", "now", "next", "p50", "p95", "ok", "7d", "tags"]
    assert failed == (
        "  fx_daily      ▇▇▇▇▇▇▇▇▇▇▇▇▇✘  ✘ load  3m                            03:10  56m        58s   1m22s    99%  fx"
    )
    assert retrying == (
        "  trades_us                  ►  ↻ 5/8  load, try 4 of 6 in 1:14       03:10  56m"
        "        58s   1m22s    99%  trades"
    )


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (live("running", p95=40 * SECOND), "► 5/8  load 1m12s  1.8× p95"),
        (live("running"), "► 5/8  load 1m12s"),
        (live("killing"), "► 5/8  load 1m12s killing"),
        (live("queued"), "► 5/8  load starts"),
        (live("scheduled", blockers=("pool:db",)), "► 5/8  load waits for pool db"),
        (live("up_for_retry", retry_at=NOW - SECOND), "↻ 5/8  load, try 4 of 6 now"),
        (live("deferred"), "~ 5/8  load waits"),
    ],
)
def test_what_a_dag_does_now(task: LiveTask, words: str) -> None:
    """The most telling task of its run: how long it runs against what is usual, or what it waits for."""
    assert words in rows(scene(dag("trades_us", active=(active(task),))), 119)


def test_several_runs_and_tasks_are_counted() -> None:
    """Other running tasks and other active runs are said in figures, and failed tasks beside the progress."""
    first = active(live("running"), live("running", "join"), counts={"success": 3, "failed": 1, "running": 2})
    second = active(state="queued")
    found = rows(scene(dag("trades_us", active=(first, second))), 119)
    assert "► 4/6 1✘  load 1m12s +1  +1" in found


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (
            dag("a", paused_at=NOW - 50 * HOUR - MINUTE, paused_by="ops2", pause_reason="deploy"),
            "p paused by ops2, deploy, 2d02h ago",
        ),
        (dag("a", state="inactive"), "its file is gone"),
        (dag("a", broken_since=NOW - HOUR), "! does not load since 01:14"),
        (dag("a", active=(active(state="queued"),)), "= queued"),
    ],
)  # fmt: skip
def test_a_dag_that_does_not_run_says_why(card: DagCard, words: str) -> None:
    """Paused by whom and why, without its file, broken, or queued."""
    assert words in rows(scene(card), 159)


def test_what_was_asked_for_stands_beside_the_state() -> None:
    """An intent for the DAG or its run follows the true state."""
    intents = Intents().add(Intent("c1", "pause", "pause requested", frozenset({("trades_us", "", -1)}), NOW))
    assert "⟶ pause requested" in rows(scene(dag("trades_us"), intents=intents), 119)


def test_bars_are_as_high_as_runs_took_and_other_states_are_signs() -> None:
    """A bar is a success, its height its duration against the longest; everything else is the state's glyph."""
    long = mark(1, "a")
    short = mark(2, "a", ended_at=NOW - 4 * MINUTE + 10 * SECOND)
    card = dag("a", recent=(long, short, mark(3, "a", "failed"), mark(4, "a", "running")))
    assert plain(run_bars(card, 6, NOW)) == "  ▇▂✘►"


def test_attention_comes_in_the_order_of_need() -> None:
    """An unclean start, failures by cause, broken files, then mere retries; each cause once."""
    found = scene(
        report=RecoveryCard(1, NOW, "2 adopted", ()),
        imports=(ImportProblem("db.py", None, "ImportError: no", 12, NOW),),
        failures=(
            *FAILED,
            Failure("a", 1, "a@1", "t", -1, "up_for_retry", "Timeout after 12 s", NOW - 9, NOW, "k2"),
            Failure("b", 2, "b@2", "t", -1, "up_for_retry", "Timeout after 15 s", NOW - 8, NOW, "k2"),
        ),
    )
    kinds = [(row.kind, row.failed, row.retrying) for row in attention(found.snapshot)]
    assert kinds == [("report", 0, 0), ("failures", 1, 1), ("import", 0, 0), ("retries", 0, 2)]
    text = rows(found, 119)
    assert "! unclean start" in text and "! import error" in text and "db.py:12" in text


def test_a_file_that_cannot_be_loaded_is_named_whole_beside_failures_of_little_width() -> None:
    """At 80 columns its name is not cut in the middle, and takes nothing from the causes of failures above it."""
    problem = ImportProblem("bad_cycle.py", None, "tasks depend on each other in a cycle: a -> b -> a", 6, NOW)
    text = rows(scene(dag("fx_daily"), dag("trades_us"), imports=(problem,), failures=FAILED), 80).splitlines()
    (broken,) = (row for row in text if "cycle" in row)
    (failed,) = (row for row in text if ERROR[:20] in row)
    assert "! import  tasks depend on each other in a cycle" in broken and "bad_cycle.py:6" in broken
    assert ERROR in failed and "bad" not in failed


def test_a_figure_that_has_no_room_is_left_out_and_not_cut() -> None:
    """`1…` would be another figure than `120.0× p95`; with room it stands there."""
    slow = live("running", "load", started_at=NOW - 7200 * SECOND, p95=60 * SECOND)
    found = scene(dag("trades_us", recent=(mark(7, "trades_us", "running"),), active=(active(slow),)))
    assert "× p95" in rows(found, 159)
    narrow = next(line for line in rows(found, 105).splitlines() if "load" in line)
    assert "2h00m" in narrow and "× p95" not in narrow and "…" not in narrow


def test_an_approval_that_waits_is_a_row() -> None:
    """What waits for a person is listed, once for each task, with all runs, and can be answered from there."""
    asked = (live("awaiting_input", "approve"), live("awaiting_input", "approve", map_index=2))
    found = scene(dag("trades_us", recent=(mark(7, "trades_us", "running"),), active=(active(*asked),)))
    (row,) = attention(found.snapshot)
    assert [(run, task, index) for _, run, task, index in row.where] == [
        (mark(7, "trades_us").run_id, "approve", -1),
        (mark(7, "trades_us").run_id, "approve", 2),
    ]
    assert "2 to answer  waits for an answer" in rows(found, 119)
    said = tuple(task._replace(asks="Book this month?") for task in asked)
    found = scene(dag("trades_us", recent=(mark(7, "trades_us", "running"),), active=(active(*said),)))
    assert "2 to answer  Book this month?" in rows(found, 119), "what it asks, where the DAG says that"
    told = why_attention(found, row)[1]
    assert "A." in told[0][0] and told[-1][0].startswith("approve[2] of ")
    dag_id, run_id, task_id, index = row.where[0]
    target = Target("overview", dag_id, run_id, task_id, index, attention=row.key)
    assert BY_ID["answer"].why_not(found, target) is None


def test_the_one_question_of_a_run_is_answered_from_the_row_of_its_run() -> None:
    """Whoever stands on a run or its DAG means the task of it that waits; of several, one has to be chosen."""
    answer = BY_ID["answer"]
    target = Target("overview", "trades_us", mark(7, "trades_us").run_id)

    def asked(*tasks: LiveTask) -> Scene:
        return scene(dag("trades_us", recent=(mark(7, "trades_us", "running"),), active=(active(*tasks),)))

    one = asked(live("running"), live("awaiting_input", "approve", map_index=2))
    assert answer.why_not(one, target) is None
    assert asked_of(one, target) == replace(target, task_id="approve", map_index=2)
    two = asked(live("awaiting_input", "approve"), live("awaiting_input", "other"))
    assert answer.why_not(two, target) == "2 tasks of the run wait for an answer: enter shows them"
    assert answer.why_not(asked(live("running")), target) == "nothing of it waits for an answer"


def test_a_breaker_that_holds_tasks_back_is_a_row() -> None:
    """A circuit breaker is listed once, with the tasks that wait for it."""
    held = tuple(live("scheduled", "call", map_index=n, blockers=("breaker:geo",)) for n in range(3))
    found = scene(dag("trades_us", recent=(mark(7, "trades_us", "running"),), active=(active(*held),)))
    (row,) = attention(found.snapshot)
    assert "3 held back  circuit breaker geo is open" in rows(found, 119)
    assert "geo is open" in why_attention(found, row)[1][0][0]


def test_all_that_is_wrong_with_a_file_is_one_row() -> None:
    """Five problems of one file take one row, which says how many more there are; `why` tells them all."""
    problems = [ImportProblem("db.py", None, f"there is no pool p{n}", n, NOW + n) for n in range(5)]
    found = scene(imports=(*problems, ImportProblem("other.py", None, "SyntaxError", 1, NOW)))
    first, second = attention(found.snapshot)
    assert (first.text, first.since, second.detail) == ("there is no pool p0 (and 4 more)", NOW, "other.py:1")
    assert first.key != second.key
    told = " ".join(line for line, _ in why_attention(found, first)[1])
    assert all(f"db.py:{n}" in told and f"no pool p{n}" in told for n in range(1, 5))


def test_a_calm_screen_has_no_cell_that_warns() -> None:
    """With nothing wrong, no cell of the overview is drawn in the colours of trouble."""
    calm = scene(*(dag(f"dag_{n}", recent=(mark(n, f"dag_{n}"),), stats=STATS) for n in range(5)))
    overview = Overview(calm)
    tokens = {word for at in range(len(overview)) for _, token in overview.row(at, 119) for word in token.split()}
    assert not tokens & {"warn", "bad", "intent"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("desk", ["trades_us"]),
        ("!fx", ["trades_us"]),
        ("tus", ["trades_us"]),
        ("tag:fx", ["fx_daily"]),
        ("state:failed", ["fx_daily", "trades_us"]),
        ("!state:failed", []),
        ("dag:*_us", ["trades_us"]),
        ("owner:desk !tag:fx", ["trades_us"]),
        ("since:10m", []),
        ("since:2h", ["fx_daily"]),
        ("nowhere", []),
    ],
)
def test_a_filter_says_which_dags_stay(text: str, names: list[str]) -> None:
    """Words, abbreviations, states, tags, owners and times choose DAGs; `!` turns a term round."""
    done = mark(8, "fx_daily", "failed")._replace(ended_at=NOW - HOUR)
    long_ago = mark(7, "trades_us", "failed")._replace(started_at=None, ended_at=None)
    trades = dag("trades_us", owner="desk", tags=(), recent=(long_ago,))
    found = scene(dag("fx_daily", tags=("fx",), recent=(done,)), trades)
    sifted = Sifter(parse_terms(text, NOW), NOW)(Overview(found), 119)
    keys = [sifted.key(at) for at in range(len(sifted))]
    assert [key[1] for key in keys if isinstance(key, tuple)] == names


def test_paused_dags_come_last_and_are_counted() -> None:
    """What is paused stands below what runs."""
    found = scene(dag("a", paused_at=NOW), dag("b"), dag("c"))
    assert [card.dag_id for card in in_order(found.snapshot)] == ["b", "c", "a"]
    assert summary(found.snapshot) == "3 DAGs, 1 paused"


@pytest.mark.parametrize("width", [40, 60, 79, 99, 100, 119, 139, 140, 159, 220])
def test_every_row_fits_its_width(width: int) -> None:
    """Also with long names, wide characters and causes of any length no row is wider than it may be."""
    name = "漢字" * 60
    found = scene(
        dag(name, tags=(name,), active=(active(live("running", name)),), stats=STATS),
        failures=(Failure(name, 1, name, name, -1, "failed", ERROR * 20, NOW),),
        imports=(ImportProblem(name, name, name, 10**6, LOGICAL),),
    )
    overview = Overview(found)
    assert all(width_of(overview.row(at, width)) <= width for at in range(len(overview)))
    assert all(cell_len(plain(overview.row(at, width))) <= width for at in range(len(overview)))


def test_a_row_that_reads_the_same_is_the_same_object() -> None:
    """Between two scenes an unchanged row is not even compared cell by cell."""
    first = Overview(busy())
    spans = [first.row(at, 119) for at in range(len(first))]
    second = Overview(busy(), first)
    assert all(second.row(at, 119) is spans[at] for at in range(len(second)))


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200, 300])
def test_no_width_promises_more_runs_than_are_read(width: int) -> None:
    """The head of the column of runs names how many there can be."""
    assert layout(width, 30).bars <= RECENT_RUNS
