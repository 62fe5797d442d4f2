"""What single views have read for themselves, one module each; being here is all it takes.

A module `NAME` has `read(reading)`, which gives an immutable value for `Page(NAME, args)`, with all text sanitised.
It runs in the store's thread, within the transaction of the picture it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from console.model.snapshot import Page
from engine.model.moments import Micros

if TYPE_CHECKING:
    from console.backends.changes import Dirty
    from console.backends.rows import Rows
    from console.backends.specs import Specs


class Reading(NamedTuple):
    """What a reader has at hand."""

    rows: Rows
    specs: Specs
    args: tuple[object, ...]
    before: object
    """What it gave last for the same page; None at first."""
    dirty: Dirty | None
    """What has changed since then; None: everything may have."""
    now: Micros
    versions: Path
    """Where the home keeps the code of DAG versions."""


Reader = Callable[[Reading], object]
NOWHERE = Path("/nonexistent")
"""For stores without a home around them."""


class Pages:
    """The page that is looked at, read again when anything was committed."""

    def __init__(self, rows: Rows, specs: Specs, now: Callable[[], Micros], versions: Path = NOWHERE) -> None:
        self._rows, self._specs, self._now, self._versions = rows, specs, now, versions
        self._page: Page | None = None
        self._value: object = None

    def refresh(self, page: Page | None, dirty: Dirty | None) -> object:
        """The page's value as it stands. Raises LookupError where no reader has its name."""
        if page is None:
            self._page = self._value = None
            return None
        known = page == self._page and dirty is not None
        if known and not dirty:
            return self._value
        reading = Reading(
            self._rows, self._specs, page.args, self._value if known else None, dirty if known else None, self._now(),
            self._versions,
        )  # fmt: skip
        value = _reader(page.name)(reading)
        if not (known and value == self._value):
            self._value = value
        self._page = page
        return self._value


def _reader(name: str) -> Reader:
    try:
        return cast(Reader, import_module(f"{__name__}.{name}").read)
    except ModuleNotFoundError as error:
        raise LookupError(f"nothing reads the page {name!r}") from error
