"""The view of pools, breakers and questions: what stands on each line."""

from __future__ import annotations

from dataclasses import replace

from console.model.limits import BreakerCard, HolderCard, LimitsCard, PoolCard, QuestionCard, WaitCard
from console.model.link import Gauges
from console.view.limits import facts, rows
from console.view.spans import BAD, WARN, plain
from console.view.why_limits import why_engine, why_question
from engine.model.host import HostFigures
from engine.model.moments import HOUR, MINUTE, SECOND
from tests.support.console import NOW

POOLS = (
    PoolCard(
        "db", 4, 4, 3, None, (HolderCard("etl@1", "load", 3, NOW - 90 * SECOND), HolderCard("etl@1", "x", 1, None))
    ),
    PoolCard("api", 0, 0, 1, None, ()),
    PoolCard("default", -1, 2, 0, None, ()),
)
BREAKERS = (
    BreakerCard("db-1", "open", 5, NOW + 2 * MINUTE, NOW, "ConnectionError: refused", False, None, None, ("etl",)),
    BreakerCard("geo", "open", 0, None, NOW, None, False, "ops1", "maintenance", ()),
    BreakerCard("s3", "closed", 1, None, None, "TimeoutError: late", False, None, None, ("etl",)),
    BreakerCard("mq", "half_open", 5, None, NOW, "no", True, None, None, ()),
)
ASKED = QuestionCard(
    "close@1",
    "close",
    "sign_off",
    -1,
    "Close the books?",
    ("approve", "reject"),
    (),
    NOW - 41 * MINUTE,
    NOW + HOUR,
    "reject",
)  # fmt: skip


def lines(card: LimitsCard, width: int = 120) -> dict[object, str]:
    """The text of each row by its key."""
    return {key: plain(spans) for key, spans in rows(card, NOW, width) if key is not None}


def test_a_pool_says_how_full_it_is_and_who_holds_it() -> None:
    """Taken and all slots, what is wanted, and the holders with their slots and times; a stopped pool says so."""
    found = lines(LimitsCard(POOLS))
    assert "4/4" in found["pool", "db"] and "load ×3 1m30s, x" in found["pool", "db"]
    assert "0/0" in found["pool", "api"] and "stopped: nothing of it starts" in found["pool", "api"]
    assert "2/∞" in found["pool", "default"]


def test_a_breaker_says_what_comes_next() -> None:
    """The probe's countdown, who holds it open and why, or that a probe runs; the error of a closed one is history."""
    found = lines(LimitsCard(POOLS, BREAKERS))
    assert "probe in 2:00" in found["breaker", "db-1"] and "ConnectionError: refused" in found["breaker", "db-1"]
    assert "held open by ops1: maintenance" in found["breaker", "geo"]
    assert "its probe runs" in found["breaker", "mq"]
    assert "TimeoutError" not in found["breaker", "s3"]


def test_a_question_comes_first_with_its_options_and_its_time() -> None:
    """What is asked, for how long, and what is taken when."""
    card = LimitsCard(POOLS, BREAKERS, (ASKED,))
    first = next(spans for key, spans in rows(card, NOW, 120) if key is not None)
    assert plain(first).split("  ") == [
        " ? close/sign_off", "1", "Close the books?", "approve / reject", "for 41m00s", "reject in 1h00m",
    ]  # fmt: skip
    assert {token for _, token in facts(card)} >= {BAD, WARN}


def test_a_question_names_its_run_in_the_zone_of_its_dag() -> None:
    """As every other list does: the same run has the same name everywhere."""
    card = LimitsCard(POOLS, BREAKERS, (ASKED._replace(run_id="close@20261122T010824Z~abcdef"),))
    first = next(spans for key, spans in rows(card, NOW, 120, zones={"close": "Europe/Berlin"}) if key is not None)
    assert "02:08:24 CET ~abcdef" in plain(first)


def test_no_line_is_wider_than_the_window() -> None:
    """Whatever is in it."""
    for width in (20, 60, 79, 140):
        card = LimitsCard(POOLS, BREAKERS, (ASKED,))
        assert all(len(plain(spans)) <= width for _, spans in rows(card, NOW, width))


def test_the_engine_has_its_lines_while_it_is_heard() -> None:
    """Its slots, and the memory of the host with the figure of the guard; in the colour of faults below it."""
    calm = dict(
        rows(LimitsCard(POOLS), NOW, 120, Gauges(NOW, 3, 16, 0, 3, 0, 0, memory=(8 << 30, 16 << 30, 100 << 20)))
    )
    assert "3/16" in plain(calm["engine", "slots"])
    assert "8.0G/16G" in plain(calm["engine", "memory"]) and "starts need 100M left" in plain(calm["engine", "memory"])
    assert BAD not in {token for _, token in calm["engine", "memory"]}
    short = dict(
        rows(LimitsCard(POOLS), NOW, 120, Gauges(NOW, 3, 16, 0, 3, 0, 0, memory=(80 << 20, 16 << 30, 100 << 20)))
    )
    assert "80M left: starts need 100M" in plain(short["engine", "memory"])
    assert BAD in {token for _, token in short["engine", "memory"]}
    assert ("engine", "slots") not in dict(rows(LimitsCard(POOLS), NOW, 120))


def test_a_task_that_keeps_its_slot_counts_down_to_its_retry() -> None:
    """Among the holders it stands with its sign and its time."""
    kept = PoolCard("api", 1, 1, 1, None, (HolderCard("etl@1", "flaky", 1, None, NOW + 45 * SECOND),), True)
    assert "flaky ↻ 0:45" in lines(LimitsCard((kept,)))["pool", "api"]


def test_why_of_a_question_says_what_happens_if_nobody_answers() -> None:
    """Its options, its form, since when it waits, and what is taken when; and that it is answered once it is."""
    text = " ".join(words for words, _ in why_question(WaitCard((), ASKED), NOW))
    assert "One of: approve, reject." in text and "If nobody answers, reject is taken at" in text
    assert "It is answered." in " ".join(
        words for words, _ in why_question(WaitCard(("answered approve by ops1",)), NOW)
    )


def test_why_of_the_engine_says_what_frees_it() -> None:
    """Slots that are all taken, memory below the guard's figure, and an engine that nobody hears of."""
    full = Gauges(NOW, 16, 16, 2, 16, 0, 0, memory=(80 << 20, 16 << 30, 100 << 20))
    assert "one is freed when any of them ends" in str(why_engine(full, "slots"))
    assert "it is freed when what runs has ended" in str(why_engine(full, "memory"))
    assert "min_free_memory_mb is 0" in str(why_engine(Gauges(NOW, 0, 16, 0, 0, 0, 0, memory=(1, 2, 0)), "memory"))
    assert "does not say" in str(why_engine(Gauges(NOW, 0, 16, 0, 0, 0, 0), "memory"))
    assert "No engine is heard of" in str(why_engine(None, "slots"))


def test_the_host_and_the_engines_share_of_it_are_told_live() -> None:
    """Processor, memory, disk, loop lag, open files, store and log, consoles; nothing of it in a warning's colour."""
    host = HostFigures(34.4, 2, 1.2, 41 << 30, 98 << 30, 41, 1024, 12 << 20, 1200 << 10)
    gauges = Gauges(NOW, 1, 16, 0, 1, 0, 0, 0.4, 1.2, 84 << 20, ("ops1", "ops2"), host=host)
    listed = rows(LimitsCard(POOLS[-1:]), NOW, 120, gauges)
    found = {key: plain(spans) for key, spans in listed if key is not None}
    for key, words in {
        ("host", "processor"): "34%  of 2 cores, load 1.20",
        ("host", "disk"): "41G  free of 98G",
        ("process", "loop lag"): "0.4ms",
        ("process", "descriptors"): "41  open of 1024",
        ("process", "store"): "12M  and 1.1M write-ahead log",
        ("process", "consoles"): "2  ops1, ops2",
    }.items():
        assert words in found[key], found[key]
    assert not {token for key, spans in listed if key and key[0] != "pool" for _, token in spans} & {WARN, BAD}
    whole = replace(gauges, memory=(8 << 30, 16 << 30, 100 << 20), host=replace(host, most_descriptors=20_000))
    for memory in (whole.memory, (80 << 20, 16 << 30, 100 << 20)):
        narrow = [plain(spans) for _, spans in rows(LimitsCard(), NOW, 79, replace(whole, memory=memory))]
        assert not [line for line in narrow if "…" in line], "at 80 columns every figure has all its words"
    tight = replace(host, disk_free=100 << 20, wal_bytes=300 << 20, descriptors=1000)
    spans = [row for _, row in rows(LimitsCard(), NOW, 120, replace(gauges, host=tight))]
    assert [plain(row).split()[0] for row in spans if BAD in {token for _, token in row}] == ["disk"]
    assert sum(WARN in {token for _, token in row} for row in spans) == 2
