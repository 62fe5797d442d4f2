"""A home: where it is, what stands in it, and whose it is."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.model.typed import quoted

CONFIG = "dagdeck.toml"
ENVIRONMENT = "environment"
"""In a home: the name of the environment that was chosen when its engine was started last."""
_SOCKET_LIMIT = 100  # a Unix socket path may have 108 bytes on Linux and 104 on macOS


class HomeError(Exception):
    """The home, or its configuration, cannot be used; the text says what, where and what to do."""


class NotOwner(HomeError):
    """The home is somebody else's."""


def check_owner(root: Path) -> None:
    """What another user, also root, makes in a home cannot be read by its owner's engine. Raises NotOwner."""
    owner = root.stat().st_uid
    if owner != os.geteuid():
        raise NotOwner(f"{root} belongs to uid {owner}; run as that user, or make a home of your own")


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of one home."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / CONFIG

    @property
    def dags(self) -> Path:
        return self.root / "dags"

    @property
    def versions(self) -> Path:
        return self.root / "versions"

    @property
    def attempts(self) -> Path:
        return self.root / "attempts"

    @property
    def database(self) -> Path:
        return self.root / "state.db"

    @property
    def store_is_lost(self) -> bool:
        """Whether attempts have left files here, and the store that knew of them is not there, or has nothing in it."""
        if self.database.exists() and self.database.stat().st_size:
            return False
        return self.attempts.is_dir() and next(self.attempts.iterdir(), None) is not None

    @property
    def backups(self) -> Path:
        """Where backups go that name no other place; made when the first is."""
        return self.root / "backups"

    @property
    def lock(self) -> Path:
        return self.root / "engine.lock"

    @property
    def log(self) -> Path:
        return self.root / "engine.log"

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def socket(self) -> Path:
        """The control socket: in the home, or where its engine recorded it, when the home's path is too long for one.

        Where none is recorded, it is a path that nothing can be at.
        """
        path = self.root / "engine.sock"
        return path if _fits(path) else self._recorded_socket() or path

    def place_socket(self) -> Path:
        """Where an engine binds it: where the home is too long for it in a short private folder, which is recorded."""
        path = self.socket
        if not _fits(path):
            path = Path(tempfile.mkdtemp(prefix="dagdeck-")) / "engine.sock"
        self.record_socket(path)
        return path

    def record_socket(self, path: Path) -> bool:
        """Has clients find a socket that is not in the home; true where they would not have. Raises OSError."""
        if path.parent == self.root or self._recorded_socket() == path:
            return False
        unready = self._socket_record.with_name(f".{self._socket_record.name}.{os.getpid()}")
        unready.unlink(missing_ok=True)
        with open(os.open(unready, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as record:
            record.write(f"{path}\n")
        unready.rename(self._socket_record)
        return True

    @property
    def _socket_record(self) -> Path:
        return self.root / "engine.sock.path"

    def _recorded_socket(self) -> Path | None:
        try:
            recorded = Path(self._socket_record.read_text(errors="surrogateescape").strip())
        except OSError:
            return None
        return recorded if recorded.is_absolute() else None


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= _SOCKET_LIMIT


def find_home(explicit: str | None) -> Home:
    """The home a command is about: `--home`, `$DAGDECK_HOME`, the nearest `dagdeck.toml` upwards, `~/.dagdeck`.

    Raises HomeError when there is none: homes are made by `dagdeck init` and `dagdeck demo` alone.
    """
    named = explicit or os.environ.get("DAGDECK_HOME")
    if named:
        root = Path(named).expanduser().resolve()
        if not (root / CONFIG).is_file():
            raise HomeError(
                f"{root} is not a dagdeck home (it has no {CONFIG}): make one with `dagdeck init {quoted(root)}`"
            )
        return Home(root)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONFIG).is_file():
            return Home(folder)
    fallback = Path.home() / ".dagdeck"
    if (fallback / CONFIG).is_file():
        return Home(fallback.resolve())
    raise HomeError("no dagdeck home here: make one with `dagdeck init DIR`, or look around with `dagdeck demo`")
