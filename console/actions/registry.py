"""All actions, in the order in which help lists them."""

from __future__ import annotations

from console.actions import asking, possible
from console.actions.action import DAG, EVERYWHERE, LISTS, LOG, OVERVIEW, ROWS, RUN, SOURCE, Action, Danger
from console.actions.views import VIEWS

MARKING = frozenset({OVERVIEW, DAG, RUN, "inbox", "upcoming", "trash"})
"""Views whose rows can be marked: what changes them takes many at once."""

NAMED = frozenset({OVERVIEW, RUN})
"""Views with names that may be longer than their column."""

FAILING = LISTS | {"audit", "limits"}
"""Views in which something may have failed."""

FILTERED = LISTS | {"audit", "limits", "trash"}
"""Views whose rows can be filtered and gone through."""

LOGGED = LISTS | {SOURCE, "limits"}
"""Views whose rows may have a log."""

SORTED = frozenset({
    OVERVIEW, DAG, RUN, "inbox", "backfills", "upcoming", "limits", "audit", "trash", "durations",
})  # fmt: skip
"""Views whose rows can be sorted."""

MOVES = (
    Action("move.down", "down", "One row down.", ("j", "down"), group="move"),
    Action("move.up", "up", "One row up.", ("k", "up"), group="move"),
    Action("move.first", "top", "To the first row.", ("g", "home"), group="move"),
    Action("move.last", "end", "To the last row; in a log also follows again.", ("G", "end"), group="move"),
    Action("move.half_down", "half page down", "Half a page down.", ("ctrl+d",), group="move"),
    Action("move.half_up", "half page up", "Half a page up.", ("ctrl+u",), group="move"),
    Action("move.page_down", "page down", "A page down.", ("pagedown",), group="move"),
    Action("move.page_up", "page up", "A page up.", ("pageup",), group="move"),
)
"""Movement belongs to the widgets, which obey these keys themselves."""

LOOKS = (
    Action(
        "open", "open", "Opens what the cursor stands on: a DAG's run, a task's log. On a cause of failures: recovers.",
        ("enter",), LISTS, rank=90, why_not=possible.openable, label=asking.open_label,
    ),
    Action("enter", "enter", "Opens what the cursor stands on; on a cause of failures: the run of the newest.",
           ("l", "right"), LISTS, why_not=possible.openable),
    Action("back", "back", "One level back; a filter or marks are taken away first.", ("escape", "h", "left"), LISTS),
    Action("leave", "back", "One level back; on the overview it leaves the console. The engine goes on.", ("q",)),
    Action("quit", "leave", "Leaves the console at once. The engine and all that runs go on.", ("ctrl+q",)),
    Action("overview", "overview", "To the overview of all DAGs.", ("1",)),
    Action("log", "log", "The log of the task, at its first error if it failed.", ("L", "5"), LOGGED, rank=70,
           why_not=possible.a_log),
    Action("pager", "pager", "The log of the task in $PAGER, sanitised.", ("o",), LOGGED | {LOG}, rank=3,
           why_not=possible.a_log),
    Action("why", "why", "Why it waits, or why it failed, and what would free it.", ("i",),
           LISTS | ROWS | {"limits"}, rank=80,
           why_not=possible.something),
    Action("details", "details", "All that is known of it: settings, parameters, reasons.", ("d",), LISTS | ROWS,
           why_not=possible.something),
    Action("source", "source", "The code that the run used, at the task, and what has changed in it since.", ("v",),
           LISTS | ROWS, why_not=possible.a_dag, opens=SOURCE),
    Action("failure.next", "next failure", "To the next failure: a failed row, an error line of a log.", ("e",),
           FAILING, rank=60, why_not=possible.a_failure),
    Action("failure.previous", "previous failure", "To the failure before.", ("E",), FAILING,
           why_not=possible.a_failure),
    Action("filter", "filter", "Shows only rows that fit: words, `state:failed`, `tag:`, `since:2h`; ! inverts.",
           ("/",), FILTERED, rank=10),
    Action("filter.out", "filter out", "Shows only rows that do not fit what is typed.", ("!",), FILTERED),
    Action("match.next", "next match", "To the next row that the filter shows, and round.", ("n",), FILTERED),
    Action("match.previous", "previous match", "To the row before that the filter shows.", ("N",), FILTERED),
    Action("part.next", "next part", "To the next part of the view: what stands under another heading, a task's tries.",
           ("tab",)),
    Action("part.previous", "part before", "The same backwards.", ("shift+tab",)),
    Action("wide", "wide names", "Names whole, with fewer figures; again as before.", ("W",), NAMED),
    Action("full", "full screen", "The list takes the whole screen but for the header and its rule; again as before.",
           ("f",)),
    Action("failures", "only failures", "Only rows that failed or wait for a retry; again shows all.", ("z",),
           FILTERED - {"limits"}),
    Action("row.mark", "mark row", "Marks the row, or not any more; what changes rows then takes all that are marked.",
           ("space",), MARKING),
    Action("row.range", "mark range", "Marks all rows from the one that was marked last to this one.", ("V",), MARKING),
    Action("row.all", "mark all shown", "Marks every row that the filter shows; again none of them.", ("*",), MARKING),
    Action("sort", "sort", "Which column the rows are sorted by; the same one again turns them round.", ("s",), SORTED),
    Action("sort.next", "sort by the next", "Sorts by the next column.", (">",), SORTED),
    Action("sort.previous", "sort by the one before", "Sorts by the column before.", ("<",), SORTED),
    Action("newest", "newest running", "To the log of the task that began last and still runs.", ("F",), LISTS,
           why_not=possible.something_runs),
    Action("freeze", "freeze", "Keeps the picture as it is, and says so; again lets it live.", ("Z",)),
    Action("report", "report", "Writes the run as a Markdown report into the home: timeline, failures, who did what.",
           ("f3",), ROWS, why_not=possible.a_run),
    Action("picture", "picture", "Writes the screen as text into the home's `reports` folder.", ("f2",)),
    Action("history.back", "where I was", "Back through what was shown, cursor and filter included.", ("[",)),
    Action("history.forward", "forward again", "Forward again, after going back.", ("]",)),
    Action("history.last", "last view", "To the view before this one; the same again comes back.", ("-",)),
    Action("bookmark", "bookmark", "Keeps this place, for every console of this home; again forgets it.", ("B",)),
    Action("bookmarks", "bookmarks", "The places that are kept; Enter goes there.", ("'",)),
    Action("copy.address", "copy address", "Copies the address of this place: `dagdeck open ADDRESS` goes there.",
           ("#",)),
    Action("copy.menu", "copy …", "What can be copied here: address, command, ids, error, the screen as text.",
           ("Y",)),
    Action("copy", "copy id", "Copies the id of what the cursor stands on, through the terminal.", ("y",),
           why_not=possible.something),
)  # fmt: skip

CHANGES = (
    Action(
        "trigger", "trigger", "Starts a run by hand, for a logical date and with parameters.", ("t",), LISTS | ROWS,
        Danger.CHANGES, "trigger", 50, possible.change("trigger", possible.a_live_dag), asking.trigger, group="change",
    ),
    Action(
        "again", "run again", "What fits the row: retry now, clear the task, rerun what failed, rerun all.", ("r",),
        ROWS, Danger.CHANGES, None, 66, possible.change("rerun", possible.a_run, possible.begun), asking.again,
        asking.again_label, group="change",
    ),
    Action(
        "rerun", "rerun", "Runs all tasks of the run again.", (), ROWS, Danger.CHANGES, "rerun", 0,
        possible.change("rerun", possible.a_run), asking.rerun, group="change",
    ),
    Action(
        "rerun_failed", "rerun failed", "Runs what failed again, with what it dragged down.", (), ROWS,
        Danger.CHANGES, "rerun", 0, possible.change("rerun", possible.a_run), asking.rerun_failed, group="change",
    ),
    Action(
        "retry", "retry now", "Does not wait for the retry timer; the budget stays as it is.", (), ROWS,
        Danger.CHANGES, "retry", 0, possible.change("retry", possible.a_task, possible.waiting_for_retry),
        asking.retry, group="change",
    ),
    Action(
        "clear", "clear", "Forgets how tasks ended, so that they run again.", ("c", "C"), ROWS, Danger.CHANGES,
        "clear", 46, possible.change("clear", possible.a_run, possible.begun), asking.clear, group="change",
    ),
    Action(
        "mark", "mark", "Decides the task's state by hand: success, failed or skipped.", ("m",), ROWS,
        Danger.CHANGES, "mark", 44, possible.change("mark", possible.a_run, possible.a_task), asking.mark,
        group="change",
    ),
    Action(
        "mark_success", "mark success", "Decides that the task has succeeded.", (), ROWS, Danger.CHANGES, "mark", 0,
        possible.change("mark", possible.a_run, possible.a_task), asking.mark_success, group="change",
    ),
    Action(
        "mark_failed", "mark failed", "Decides that the task has failed.", (), ROWS, Danger.CHANGES, "mark", 0,
        possible.change("mark", possible.a_run, possible.a_task), asking.mark_failed, group="change",
    ),
    Action(
        "stop", "stop", "Ends the task's process with its grace; on a run: cancels it.", ("x",), ROWS,
        Danger.KILLS, None, 56, possible.change("kill", possible.a_run, possible.stoppable), asking.stop,
        asking.stop_label, group="change",
    ),
    Action(
        "force", "kill at once", "Ends the task's process with SIGKILL.", ("X",), ROWS, Danger.KILLS, "kill", 0,
        possible.change("kill", possible.a_task, possible.alive_or_killing), asking.force, group="change",
    ),
    Action(
        "kill_retry", "kill and retry", "Ends the task's process, then tries it again at once; no budget is used.", (),
        ROWS, Danger.KILLS, "kill", 0, possible.change("kill", possible.a_task, possible.alive), asking.kill_retry,
        group="change",
    ),
    Action(
        "prioritize", "go first", "Lets waiting tasks of the run go before those of other runs.", (), ROWS,
        Danger.CHANGES, "prioritize", 0, possible.change("prioritize", possible.an_active_run), asking.prioritize,
        group="change",
    ),
    Action(
        "trigger_again", "trigger again", "A new run like this one: its date and params in a form first.", ("M",), ROWS,
        Danger.CHANGES, "trigger", 0, possible.change("trigger", possible.a_run), asking.trigger_again,
        group="change",
    ),
    Action(
        "cancel", "cancel run", "Ends the run: processes are stopped, what has not started never will.", (), ROWS,
        Danger.KILLS, "cancel", 0, possible.change("cancel", possible.an_active_run), asking.cancel, group="change",
    ),
    Action(
        "stack", "stack", "Has the task write into its log what it is doing: processes, Python stacks.", ("K",), ROWS,
        Danger.CHANGES, "stack", 0, possible.change("stack", possible.a_task, possible.running), asking.stack,
        group="change",
    ),
    Action(
        "pause", "pause", "Pauses the DAG's schedule, or resumes it; what runs goes on.", ("p",), ROWS,
        Danger.CHANGES, None, 40, possible.change("pause", possible.a_dag), asking.pause, asking.pause_label,
        group="change",
    ),
    Action(
        "pause_run", "pause run", "Lets the run start nothing more, or go on again; what runs goes on.", ("P",), ROWS,
        Danger.CHANGES, None, 38, possible.change("pause", possible.a_pausable_run), asking.pause_run,
        asking.pause_run_label, group="change",
    ),
    Action(
        "delete", "delete run", "Moves a run that is over to the trash; for a week it can be restored.", (), ROWS,
        Danger.CHANGES, "delete", 0, possible.change("delete", possible.an_ended_run), asking.delete, group="change",
    ),
    Action(
        "delete_history", "delete history", "Moves all runs of the DAG that are over to the trash.", (), ROWS,
        Danger.CHANGES, "delete", 0, possible.change("delete", possible.a_dag), asking.delete_history, group="change",
    ),
    Action(
        "recover", "recover", "Runs again what failed of this cause, across DAGs: one run first, then the rest.", (),
        LISTS, Danger.CHANGES, "recover", 0, possible.recoverable, asking.recover,
        group="change",
    ),
    Action(
        "claim", "on it", "Tells everybody that you see to the failures of this cause.", (),
        frozenset({OVERVIEW, "inbox"}), Danger.CHANGES, "claim", 64, possible.change("claim", possible.a_cause),
        asking.claim, group="change",
    ),
    Action(
        "resolve", "resolve", "Puts the failures of this cause away as seen to; what fails anew comes back.", ("O",),
        frozenset({OVERVIEW, "inbox"}), Danger.CHANGES, "resolve", 63,
        possible.change("resolve", possible.a_failed_cause), asking.resolve, group="change",
    ),
    Action(
        "undo", "undo", "Takes back your newest change of the last minute, as far as nothing of it has started.",
        ("u",), EVERYWHERE, Danger.CHANGES, "undo", 0, possible.change("undo"), asking.undo,
        group="change",
    ),
    Action(
        "hold", "hold", "Starts nothing new, anywhere, until released or for a time; when on hold: releases.", ("H",),
        EVERYWHERE, Danger.CHANGES, None, 0, possible.change("hold"), asking.hold, asking.hold_label, group="change",
    ),
    Action(
        "hold_dag", "hold this DAG", "Starts nothing new of the DAG, runs under way included.", (), ROWS,
        Danger.CHANGES, "hold", 0, possible.change("hold", possible.a_dag), asking.hold_dag, group="change",
    ),
    Action(
        "release", "release holds", "Ends all holds: what waited may start.", (), LISTS, Danger.CHANGES, "release", 0,
        possible.change("release", possible.a_hold), asking.release, group="change",
    ),
    Action(
        "acknowledge", "acknowledge",
        "Of a cause of failures: tells everybody that you see to it. Of the report of an unclean start: puts it away.",
        ("a",), frozenset({OVERVIEW, "inbox"}), Danger.CHANGES, "acknowledge", 68, possible.acknowledgeable,
        asking.acknowledge, asking.acknowledge_label, group="change",
    ),
    Action(
        "prune", "prune", "Removes logs and history that are older than the home keeps them, instead of next night.",
        (), frozenset({OVERVIEW}), Danger.CHANGES, "prune", 0, possible.change("prune"), asking.prune,
        group="change",
    ),
)  # fmt: skip

REST = (
    Action("help", "keys", "The keys of this view; Enter runs one.", ("?", "f1"), group="console"),
    Action("palette", "palette", "All actions, to be found by typing.", ("ctrl+p", "ctrl+k"), group="console"),
    Action("line", "command", "An action by name: `:clear`, `:log load`.", (":",), rank=5, group="console"),
    Action("theme", "theme", "The next theme.", ("T",), group="console"),
    Action("lofi", "low bandwidth", "Fewer frames and slower timers, for slow links; again ends it.", (),
           group="console"),
    Action("mouse", "mouse", "Listens to clicks and the wheel, or leaves them to the terminal.", (), group="console"),
    Action("interrupt", "how to leave", "Says how to leave; never ends anything.", ("ctrl+c",), group="console"),
    Action("repaint", "repaint", "Draws everything again.", ("ctrl+l",), group="console"),
)  # fmt: skip

ACTIONS = (*MOVES, *LOOKS, *(action for view in VIEWS.values() for action in view.actions), *CHANGES, *REST)
BY_ID = {action.id: action for action in ACTIONS}


def actions_of(view: str) -> tuple[Action, ...]:
    """The actions that make sense in a view."""
    return tuple(action for action in ACTIONS if VIEWS[view].takes(action))


def views_of(action: Action) -> tuple[str, ...]:
    """The views in which an action makes sense."""
    return tuple(view.id for view in VIEWS.values() if view.takes(action))
