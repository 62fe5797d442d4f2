"""The registry: every action is whole, possible where it should be, and says why where it is not."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest

from console.actions.action import DAG, OVERVIEW, RUN, Action, Ask, Danger, View
from console.actions.asking import again, pause
from console.actions.registry import ACTIONS, BY_ID, actions_of, views_of
from console.actions.views import VIEWS
from console.backends.local import VERBS
from console.keymap import Keymap, KeymapError
from console.model.attention import attention
from console.model.audit import Audit, AuditCard
from console.model.backfills import BackfillCard, Backfills
from console.model.calendar import Calendar
from console.model.dags import Failure
from console.model.grid import Grid
from console.model.home import HoldCard, RecoveryCard
from console.model.link import LinkState
from console.model.runs import DagDetail
from console.model.snapshot import Scene
from console.model.targets import Target
from console.model.trash import Trash, TrashedCard
from engine.model.moments import SECOND
from tests.support.console import NOW, dag, link, mark, scene, trades

CHANGING = [action for action in ACTIONS if action.danger is not Danger.NONE]
REPORT = RecoveryCard(1, NOW, "2 adopted", ("adopted",))


def overview(state: str = "up_for_retry") -> Scene:
    """A home with one DAG, and its run in detail, whose `load` is in that state."""
    detail = trades(state)
    return scene(dag("trades_us", recent=(detail.mark,)), detail=detail, report=REPORT)


HOME_WIDE = {
    "acknowledge",
    "hold",
    "release",
    "prune",
    "undo",
    "recover",
    "claim",
    "resolve",
    "limits.resize",
    "limits.trip",
    "limits.reset",
    "audit.undo",
}
"""Actions about the whole home, or about a pool or breaker of it: they name no row of a DAG."""
LIMITS = {"limits.resize": "pool:db", "limits.trip": "breaker:db-1", "limits.reset": "breaker:db-1"}
HELD = HoldCard(1, "all", "", "ada", None, NOW, None)


BACKFILL = BackfillCard(
    1, "trades_us", "running", NOW - 9 * SECOND, NOW, "oldest", 4, "none", NOW, "ada", 9, None, None, 6, 2, 0, 1,
)  # fmt: skip


def target(action: Action, state: str) -> tuple[Scene, Target]:
    """A scene and a target for which the action is possible."""
    found = overview(state)
    if action.id == "acknowledge":
        return found, Target(OVERVIEW, attention="report:1")
    if action.id in ("recover", "claim", "resolve"):
        failure = Failure("trades_us", 7, "trades_us@7", "load", -1, "failed", "exit code 7", NOW)
        found = replace(found, snapshot=replace(found.snapshot, failures=(failure,)))
        row = next(row for row in attention(found.snapshot) if row.kind == "failures")
        return found, Target(OVERVIEW, attention=row.key)
    if action.id == "delete":
        over = mark(7, "trades_us", "failed")
        return scene(dag("trades_us", recent=(over,))), Target("dag", "trades_us", over.run_id)
    if action.id == "release":
        return replace(found, snapshot=replace(found.snapshot, holds=(HELD,))), Target(OVERVIEW)
    if action.id.startswith("backfill."):
        cards = Backfills((BACKFILL,))
        return replace(found, snapshot=replace(found.snapshot, paged=cards)), Target(
            "backfills", "trades_us", backfill=1
        )
    if action.id in LIMITS:
        return found, Target("limits", attention=LIMITS[action.id])
    if action.id == "audit.undo":
        done = AuditCard(3, "c3", NOW, "ada", "cli", "clear", "done", "cleared", None, "trades_us", None, None)
        listed = replace(found.snapshot, paged=Audit((done,)))
        return replace(found, snapshot=listed), Target("audit", attention="command:3")
    if action.id == "calendar.plan":
        return found, Target("calendar", "trades_us", span=(NOW - 9 * SECOND, NOW))
    if action.id == "trash.restore":
        gone = TrashedCard("trades_us@3", "trades_us", "failed", NOW, "ada", None, False)
        listed = replace(found.snapshot, paged=Trash((gone,)))
        return replace(found, snapshot=listed), Target("trash", "trades_us", attention="trash:trades_us@3")
    if action.id == "cancel":
        return found, Target(RUN, "trades_us", "trades_us@7")
    return found, Target(RUN, "trades_us", "trades_us@7", "load")


STATE = {
    "answer": "awaiting_input",
    "stop": "running",
    "kill_retry": "running",
    "stack": "running",
    "force": "killing",
    "rerun_failed": "failed",
    "again": "failed",
}


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.id)
def test_a_change_that_is_possible_asks_for_something_definite(action: Action) -> None:
    """Where it is possible it names its verb, its rows, how its intent reads and what its dialog is called."""
    found, meant = target(action, STATE.get(action.id, "up_for_retry"))
    assert action.why_not(found, meant) is None
    assert action.ask is not None
    ask = action.ask(found, meant)
    assert isinstance(ask, Ask)
    assert ask.verb in VERBS and ask.title and ask.words
    assert action.verb in (None, ask.verb)
    named = (*ask.selection.dag_ids, *ask.selection.run_ids, *ask.selection.task_ids)
    assert all(named) and (named or "id" in ask.args or action.id in HOME_WIDE)
    assert len({switch.key for switch in ask.switches}) == len(ask.switches)
    assert not {switch.key for switch in ask.switches} & set("jkgGn")


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.id)
@pytest.mark.parametrize("state", [LinkState.DOWN, LinkState.REFUSED, LinkState.CONNECTING])
def test_without_an_engine_a_change_says_why_not(action: Action, state: LinkState) -> None:
    """Whatever the row, a change needs an engine that answers, and says so."""
    found, meant = target(action, STATE.get(action.id, "up_for_retry"))
    why = action.why_not(replace(found, link=link(state=state, message="upgraded")), meant)
    assert why and ("engine" in why or why == "upgraded")


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.id)
def test_a_console_that_may_change_nothing_says_why_not(action: Action) -> None:
    """On a read-only connection every change answers with the reason."""
    found, meant = target(action, STATE.get(action.id, "up_for_retry"))
    barred = replace(found, link=replace(found.link, barred="opened with --read-only"))
    assert action.why_not(barred, meant) == "opened with --read-only"


def test_hold_turns_into_release() -> None:
    """While something is on hold the key of `hold` asks to release, and says so."""
    found, meant = target(BY_ID["release"], "up_for_retry")
    hold = BY_ID["hold"]
    assert hold.ask is not None and hold.ask(found, meant).verb == "release"
    assert hold.title_for(found, meant) == "release"


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.id)
def test_on_nothing_a_change_says_why_not(action: Action) -> None:
    """With no row under the cursor nothing is asked for, except what is about the whole home."""
    assert bool(action.why_not(scene(), Target(OVERVIEW))) is (action.id not in {"hold", "prune", "undo"})


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.id)
def test_a_backend_that_cannot_says_so(action: Action) -> None:
    """A verb that the backend does not offer is not offered to the operator."""
    found, meant = target(action, STATE.get(action.id, "up_for_retry"))
    why = action.why_not(replace(found, verbs=frozenset()), meant)
    assert why is not None and "cannot" in why


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_says_what_it_is(action: Action) -> None:
    """Each has a title, a sentence of help, a view to be used in, and a key or a name to call it by."""
    assert action.title and action.help.endswith(".")
    assert views_of(action)
    assert action.group in ("look", "change", "move", "console")
    assert action.keys or action.group in ("change", "console")


def test_no_action_on_a_single_key_changes_anything_at_once() -> None:
    """Every change goes through a dialog; only acknowledging, which silences a warning, does not."""
    for action in CHANGING:
        assert action.ask is not None
    assert not any("ctrl" in key for action in CHANGING for key in action.keys)


def test_ids_are_single_and_keys_are_clear_in_every_view() -> None:
    """No two actions share an id, and in each view every key shown belongs to one action."""
    assert len(BY_ID) == len(ACTIONS)
    keymap = Keymap()
    for view in VIEWS:
        for action in actions_of(view):
            for key in action.keys:
                found = keymap.action(view, key)
                assert found is not None
        owners = [keymap.action(view, key) for action in actions_of(view) for key in action.keys]
        assert owners.count(None) == 0


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_what_a_view_declares_is_there(view: View) -> None:
    """Its pane bears its name, its handlers can be called, and each of its actions has one or opens a view."""
    module, _, name = view.pane.partition(":")
    assert getattr(import_module(module), name).view == view.id
    for action in view.actions:
        assert action.opens in VIEWS or action.ask is not None or action.id in view.handlers
    for path in view.handlers.values():
        module, _, name = path.partition(":")
        assert callable(getattr(import_module(module), name))


def test_the_moves_and_terminal_keys_belong_to_nobody_else() -> None:
    """Half pages, flow control, suspend and the keys of tmux do nothing else."""
    taken = {key for action in ACTIONS if action.group != "move" for key in action.keys}
    assert [action.id for action in ACTIONS if "ctrl+c" in action.keys] == ["interrupt"]
    assert not taken & {"ctrl+d", "ctrl+u", "ctrl+s", "ctrl+z", "ctrl+b", "ctrl+a", "ctrl+j", "R"}


def test_again_means_what_fits_the_row() -> None:
    """A waiting retry is retried, a task is cleared with what is below it, a failed run reruns what failed."""
    found = overview()
    load = Target(RUN, "trades_us", "trades_us@7", "load")
    assert again(found, load).verb == "retry"
    assert again(found, Target(RUN, "trades_us", "trades_us@7", "join")).verb == "clear"
    failed = overview("failed")
    ask = again(failed, Target(OVERVIEW, "trades_us", "trades_us@7"))
    assert (ask.verb, ask.arguments({})) == ("rerun", {"failed": True, "no_retries": False})
    done = overview("success")
    assert again(done, Target(OVERVIEW, "trades_us", "trades_us@7")).arguments({}) == {
        "failed": False,
        "no_retries": False,
    }


def test_pause_becomes_resume_for_a_paused_dag() -> None:
    """One key toggles, and its label, its title and its verb agree."""
    paused = scene(dag("trades_us", paused_at=NOW - SECOND))
    meant = Target(OVERVIEW, "trades_us")
    assert pause(paused, meant).verb == "resume"
    assert BY_ID["pause"].title_for(paused, meant) == "resume"


def test_a_group_of_switches_gives_its_chosen_name() -> None:
    """Marking sends the one state that is switched on; other switches are sent as they stand."""
    found, meant = target(BY_ID["mark"], "failed")
    ask = BY_ID["mark"].ask
    assert ask is not None
    values = {"success": False, "failed": False, "skipped": True}
    assert ask(found, meant).arguments(values) == {"state": "skipped"}
    clear = BY_ID["clear"].ask
    assert clear is not None
    assert clear(found, meant).arguments({"upstream": True}) == {
        "downstream": True, "upstream": True, "only_failed": False, "no_retries": False, "force": False,
        "past": False, "future": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "state", "words"),
    [
        ("stop", "success", "has no process"),
        ("stop", "killing", "being killed"),
        ("force", "up_for_retry", "has no process"),
        ("retry", "failed", "does not wait for a retry"),
        ("clear", "none", "nothing to clear"),
        ("acknowledge", "failed", "only the report"),
    ],
)
def test_a_row_that_does_not_fit_says_why(action: str, state: str, words: str) -> None:
    """The reason names the task and its state."""
    why = BY_ID[action].why_not(overview(state), Target(RUN, "trades_us", "trades_us@7", "load"))
    assert why is not None and words in why


def test_a_run_that_is_over_cannot_be_cancelled() -> None:
    """Cancelling says that the run has ended, and how."""
    over = trades("success")
    why = BY_ID["cancel"].why_not(scene(dag("trades_us"), detail=over), Target(RUN, "trades_us", "trades_us@7"))
    assert why == "trades_us@7 is over (success)"


def test_a_dag_without_runs_can_only_be_triggered() -> None:
    """There is no run to rerun yet, and that is what it says."""
    fresh, meant = scene(dag("fresh")), Target(OVERVIEW, "fresh")
    assert BY_ID["again"].why_not(fresh, meant) == "fresh has no run yet"
    assert BY_ID["trigger"].why_not(fresh, meant) is None
    gone = scene(dag("fresh", state="inactive"))
    assert "its file trades.py is gone" in str(BY_ID["trigger"].why_not(gone, meant))


def test_keys_are_data() -> None:
    """Any action can be given other keys, or none; an unknown action and a key given twice are refused."""
    keymap = Keymap({"clear": ["z"], "mark": []})
    assert keymap.action(RUN, "z") is BY_ID["clear"]
    assert keymap.action(RUN, "m") is None
    assert keymap.shown("clear", RUN) == "z"
    assert Keymap().shown("palette", RUN) == "^P"
    with pytest.raises(KeymapError, match="no action 'tidy'"):
        Keymap({"tidy": ["z"]})
    with pytest.raises(KeymapError, match="given to both"):
        Keymap({"clear": ["z"], "mark": ["z"]})


def test_the_row_of_a_run_far_back_is_known_too() -> None:
    """A run that is only listed on its DAG's own screen can be acted on."""
    old = mark(3, "trades_us", "failed")
    found = scene(dag("trades_us"), dag=DagDetail("trades_us", (old,)))
    assert BY_ID["rerun"].why_not(found, Target(DAG, "trades_us", "trades_us@3")) is None


NO_DATES = Calendar("fresh")


@pytest.mark.parametrize(
    ("view", "page"),
    [(DAG, None), ("grid", Grid("fresh", (), (), {}, {})), ("calendar", NO_DATES)],
    ids=lambda each: each,
)
def test_a_list_with_nothing_in_it_offers_no_key_that_needs_a_row(view: str, page: object) -> None:
    """There is no run to open or to look for, and no date to select; the DAG itself can still be explained, or run."""
    fresh = scene(dag("fresh"), dag=DagDetail("fresh", ()), paged=page)
    keymap, here = Keymap(), [action for action in actions_of(view) if action.rank]
    offered = {
        each.id for each in here if keymap.shown(each.id, view) and not each.why_not(fresh, Target(view, "fresh"))
    }
    assert not offered & {"open", "failure.next", "log", "again"}
    assert not {name for name in offered if name.startswith("calendar.")}
    assert offered >= {"why", "trigger"}
