"""Stores as bad disks, half copies and mistakes leave them. Bytes are changed while nobody has the file open."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

PAGE = 4096

Harm = Callable[[Path, random.Random], None]


def overwrite(path: Path, at: int, data: bytes) -> None:
    """Puts bytes in place of others."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def root_page(path: Path, name: str) -> int:
    """Where the first page of a table or index begins, in bytes."""
    connection = sqlite3.connect(path)
    try:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchall()
    finally:
        connection.close()
    return (int(page) - 1) * PAGE


def _cut(path: Path, dice: random.Random) -> None:
    with open(path, "r+b") as file:
        file.truncate(dice.randrange(1, path.stat().st_size))


def _bits(path: Path, dice: random.Random) -> None:
    size = path.stat().st_size
    for _ in range(dice.choice((1, 3, 10, 100))):
        overwrite(path, dice.randrange(size), bytes([dice.randrange(256)]))


def _page_of_noise(path: Path, dice: random.Random) -> None:
    overwrite(path, dice.randrange(path.stat().st_size // PAGE) * PAGE, dice.randbytes(PAGE))


def _page_of_nothing(path: Path, dice: random.Random) -> None:
    overwrite(path, dice.randrange(path.stat().st_size // PAGE) * PAGE, bytes(PAGE))


def _swapped_pages(path: Path, dice: random.Random) -> None:
    data = path.read_bytes()
    one, two = (number * PAGE for number in dice.sample(range(len(data) // PAGE), 2))
    overwrite(path, one, data[two : two + PAGE])
    overwrite(path, two, data[one : one + PAGE])


def _half_copied(path: Path, dice: random.Random) -> None:
    size = path.stat().st_size
    start = dice.randrange(size)
    overwrite(path, start, bytes(size - start))


def _header(path: Path, dice: random.Random) -> None:
    overwrite(path, dice.randrange(100), dice.randbytes(dice.randrange(1, 20)))


def _text(path: Path, dice: random.Random) -> None:
    data = path.read_bytes()
    words = [b'"task_id"', b"success", b"running", b"2026", b'"dag_id"', b"queued", b"fetch", b"shell"]
    for _ in range(dice.randrange(1, 6)):
        word = dice.choice(words)
        places = [at for at in range(len(data)) if data.startswith(word, at)]
        if places:
            overwrite(path, dice.choice(places), dice.randbytes(len(word)))


def _foreign_log(path: Path, dice: random.Random) -> None:
    path.with_name(path.name + "-wal").write_bytes(dice.randbytes(dice.randrange(1, 3 * PAGE)))


def _foreign_index(path: Path, dice: random.Random) -> None:
    path.with_name(path.name + "-shm").write_bytes(dice.randbytes(32768))


def _other_file(path: Path, dice: random.Random) -> None:
    kinds = (b"", b"{}\n", b"SQLite format 3\0", b"\x1f\x8b\x08" + dice.randbytes(3000), dice.randbytes(20_000))
    path.write_bytes(dice.choice(kinds))


def _sql(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(statement)
    finally:
        connection.close()


def _numbers(path: Path, dice: random.Random) -> None:
    _sql(path, dice.choice(("PRAGMA user_version = {}", "PRAGMA application_id = {}")).format(dice.randrange(1 << 31)))


_CONTENT = (
    "UPDATE dag_version SET spec = '{{'",
    "UPDATE dag_version SET spec = '[]'",
    'UPDATE dag_version SET spec = \'{{"dag_id": 7, "tasks": null}}\'',
    "UPDATE task_instance SET state = 'runing' WHERE id % {} = 0",
    "UPDATE task_instance SET task_id = 'no_such_task' WHERE id % {} = 0",
    "UPDATE run SET state = 'going' WHERE id % {} = 0",
    "UPDATE run SET version_id = 99",
    "UPDATE run SET params = 'x', state = 'running' WHERE id % {} = 0",
    "UPDATE dag SET current_version = 99",
    "UPDATE task_instance SET current_attempt = 'none' WHERE id % {} = 0",
    "UPDATE task_instance SET blockers = '[[' WHERE id % {} = 0",
    "UPDATE attempt SET state = 'half', ended_at = NULL",
    "DELETE FROM dag_version",
    "DELETE FROM task_instance WHERE id % {} = 0",
    "DELETE FROM attempt WHERE number % {} = 0",
    "DELETE FROM dag",
    "DELETE FROM event",
    "DELETE FROM engine_session",
    "UPDATE run SET logical_date = 9223372036854775807, state = 'queued' WHERE id % {} = 0",
    "UPDATE schedule_state SET next_start = -9223372036854775807",
    "DROP TABLE callback",
    "DROP TABLE hold",
    "ALTER TABLE run RENAME COLUMN note TO remark",
    "UPDATE task_instance SET state = 'running', current_attempt = NULL WHERE id % {} = 0",
    "UPDATE attempt SET state = 'running' WHERE number % {} = 0",
)


def _content(path: Path, dice: random.Random) -> None:
    try:
        _sql(path, dice.choice(_CONTENT).format(dice.randrange(1, 8)))
    except sqlite3.IntegrityError:
        _sql(path, "DELETE FROM run_episode")


HARMS: dict[str, Harm] = {
    "cut": _cut,
    "bits": _bits,
    "noise": _page_of_noise,
    "zeros": _page_of_nothing,
    "swapped": _swapped_pages,
    "half": _half_copied,
    "header": _header,
    "text": _text,
    "wal": _foreign_log,
    "shm": _foreign_index,
    "other": _other_file,
    "numbers": _numbers,
    "content": _content,
}
"""Ways to damage a store, by name."""
