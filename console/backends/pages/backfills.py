"""All backfills with their progress, and the gaps that nobody has filled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from console.model.backfills import BackfillCard, Backfills, GapCard
from console.model.reading import maybe, safe, usual

if TYPE_CHECKING:
    from console.backends.pages import Reading

_MOST = 100
_END = 2**63 - 1


def read(reading: Reading) -> Backfills:
    """For (): everything."""
    rows = reading.rows
    found = rows.all("backfill", "backfills", {"dag_id": None, "before": _END, "count": _MOST})
    counts: dict[int, dict[str, int]] = {row[0]: {} for row in found}
    for key, state, count in rows.all("backfill", "items_by_state", {"ids": json.dumps(list(counts))}):
        counts[key][safe(state)] = count
    gaps = rows.all("schedule", "gaps", {"dag_id": None, "count": _MOST})
    return Backfills(
        tuple(_card(reading, row, counts[row[0]]) for row in found),
        tuple(GapCard(safe(row[0]), row[1], row[2], row[3], safe(row[4])) for row in gaps),
    )


def _card(reading: Reading, row: tuple[object, ...], counts: dict[str, int]) -> BackfillCard:
    p50 = p95 = None
    if row[20] is None:
        times = reading.rows.one("backfill", "run_times", {"id": row[0]})
        took = usual(None if times is None else times[0])
        p50, p95 = took.p50, took.p95
    known = {name: counts.get(name, 0) for name in ("pending", "running", "success", "failed", "cancelled", "skipped")}
    identity, dag_id, state, start, stop, order, most, reprocess, created_at, created_by, total = row[:11]
    return BackfillCard(
        int(str(identity)), safe(dag_id), safe(state), int(str(start)), int(str(stop)), safe(order), int(str(most)),
        safe(reprocess), int(str(created_at)), safe(created_by), int(str(total)), maybe(row[18]),
        None if row[20] is None else int(str(row[20])), p50=p50, p95=p95, **known,
    )  # fmt: skip
