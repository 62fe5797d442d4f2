"""The rows above the DAGs: what needs a person, one line for each cause. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.attention import Attention
from console.model.snapshot import Scene
from console.text import cut_middle
from console.view.spans import BAD, DIM, TEXT, WARN, Line, Spans
from console.view.words import ago_words, moment_words, sign

_MOST_TEXT = 200


def count_width(rows: Sequence[Attention], *, wide: bool) -> int:
    """The cells of the longest count or word in front of a cause."""
    return max((len(_head(row, wide=wide)) for row in rows), default=8)


def _head(row: Attention, *, wide: bool) -> str:
    """How many instances, or what else it is."""
    if row.kind in ("failures", "retries"):
        return _how_many(row, wide)
    if row.kind == "question":
        return f"{len(row.where)} to answer" if wide else f"{len(row.where)}"
    if row.kind == "breaker":
        return f"{len(row.where)} held back" if wide else f"{len(row.where)}"
    if row.kind == "report":
        return "unclean start" if wide else "unclean"
    if row.kind == "import":
        return "import error" if wide else "import"
    return row.detail


def attention_row(row: Attention, scene: Scene, width: int, counted: int, *, wide: bool) -> Spans:
    """Sign and figure, the cause in words, how far it reaches, since when."""
    now = scene.now
    since = f"since {moment_words(row.since, now)}" if wide else ago_words(row.since, now)
    line = Line()
    if row.kind in ("failures", "retries"):
        state = "failed" if row.failed else "up_for_retry"
        head_token = BAD if row.failed else WARN
        line.add(*sign(state)).add(" ")
        tail = row.detail or _reach(row)
    elif row.kind in ("question", "breaker"):
        head_token = WARN
        line.add(*sign("awaiting_input" if row.kind == "question" else "scheduled")).add(" ")
        tail = _reach(row)
    else:
        head_token = WARN if row.kind in ("report", "recovery") else BAD
        line.add("!", f"{head_token} bold").add(" ")
        tail = row.detail if row.kind == "import" else ""
    head = min(counted, max(width // 4, 10)) if wide else min(counted, 12)
    line.cell(cut_middle(_head(row, wide=wide), head), head, head_token).gap(2)
    tail_width = 0 if row.kind == "recovery" else 46 if width >= 180 else 32 if wide else 20
    since_width = 18 if wide else 6
    text_width = max(width - line.width - tail_width - since_width - 5, 8)
    line.cell(row.text[:_MOST_TEXT], text_width, TEXT).gap(2)
    line.cell(tail, tail_width, DIM, cut="middle").gap(2)
    return line.figure(since, since_width, DIM).done()


def _how_many(row: Attention, wide: bool) -> str:
    more = "…" if row.more else ""
    if not wide:
        both = f"{row.failed}{more}+{row.retrying}↻"
        return both if row.failed and row.retrying else f"{row.failed or row.retrying}{more}"
    if row.failed and row.retrying:
        return f"{row.failed}{more} failed + {row.retrying} in retry"
    return f"{row.failed}{more} failed" if row.failed else f"{row.retrying}{more} in retry"


def _reach(row: Attention) -> str:
    """The one instance by name, or the number of DAGs."""
    if len(row.where) == 1:
        dag, _, task, _ = row.where[0]
        return f"{dag}/{task}" if task else dag
    dags = row.dags
    return f"{len(dags)} DAGs" if len(dags) > 1 else f"{dags[0]}" if dags else ""
