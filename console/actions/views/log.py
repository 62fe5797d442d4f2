"""One attempt's log."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import LOG, ROWS, Action, View

_LOG = frozenset({LOG})
_DOING = "console.screens.log_doing"

_ACTIONS = (
    Action("log.back", "back", "Back to the run.", ("escape",), _LOG),
    Action("log.error_next", "next error", "To the next line that looks like an error, on through all attempts.",
           ("e",), _LOG, rank=90),
    Action("log.error_previous", "previous error", "To the error line before.", ("E",), _LOG),
    Action("log.search", "search", "Searches; what surrounds a match stays in sight.", ("/",), _LOG, rank=80),
    Action("log.match_next", "next match", "To the next match.", ("n",), _LOG),
    Action("log.match_previous", "previous match", "To the match before.", ("N",), _LOG),
    Action("log.follow", "follow", "Follows the end of the log, or stops following.", ("F", "s"), _LOG, rank=70,
           why_not=possible.growing),
    Action("log.older", "earlier attempt", "To the log of the attempt before.", ("h",), _LOG, rank=60,
           why_not=possible.an_earlier_attempt),
    Action("log.newer", "later attempt", "To the log of the attempt after.", ("l",), _LOG, rank=50,
           why_not=possible.a_later_attempt),
    Action("log.only", "only matches", "Only lines with a text, or with fields (`level=error`); ! inverts; none: all.",
           ("&",), _LOG, rank=75),
    Action("log.compare", "compare", "Beside it the log of the last attempt that ended well; what is new is marked.",
           ("=",), _LOG, rank=45, why_not=possible.a_log),
    Action("log.bookmark", "bookmark line",
           "Keeps the line that was gone to, else the first in sight; again forgets it.", ("m",), _LOG),
    Action("log.copy", "copy line", "Copies the line that was gone to, else those in sight, through the terminal.",
           ("y",), _LOG, rank=30),
    Action("log.columns", "columns", "Structured lines (JSON, logfmt) as columns, or as they were written.", ("|",),
           _LOG),
    Action("log.wrap", "wrap", "Wraps long lines, or cuts them.", ("w",), _LOG, rank=40),
)  # fmt: skip

VIEW = View(
    LOG,
    "log",
    "console.screens.log:LogPane",
    5,
    ROWS,
    _ACTIONS,
    {
        "log.back": "console.screens.doing:back",
        "log.error_next": f"{_DOING}:error_next",
        "log.error_previous": f"{_DOING}:error_previous",
        "log.search": f"{_DOING}:search",
        "log.match_next": f"{_DOING}:match_next",
        "log.match_previous": f"{_DOING}:match_previous",
        "log.follow": f"{_DOING}:follow",
        "log.older": f"{_DOING}:older",
        "log.newer": f"{_DOING}:newer",
        "log.wrap": f"{_DOING}:wrap",
        "log.only": f"{_DOING}:only",
        "log.compare": f"{_DOING}:compare",
        "log.bookmark": f"{_DOING}:bookmark",
        "log.copy": f"{_DOING}:copy",
        "log.columns": f"{_DOING}:columns",
    },
)
