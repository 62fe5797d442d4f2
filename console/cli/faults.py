"""The errors of the rooms below, as a person should read them."""

from __future__ import annotations

import sqlite3
import sys

from console.cli.errors import CliError, Exit
from engine.home import HomeError, NotOwner

_REFUSALS = {"not_found": Exit.NOT_FOUND, "invalid": Exit.USAGE, "protocol": Exit.NO_ENGINE}


def explain(error: Exception) -> CliError | None:
    """The error as a CliError with its exit code, or None when it is not one that a person can act on.

    The rooms are looked up among the modules already loaded: an error of a room can only come from a loaded room.
    """
    if isinstance(error, CliError):
        return error
    if isinstance(error, HomeError):
        return CliError(str(error), Exit.REFUSED if isinstance(error, NotOwner) else Exit.USAGE)
    client = sys.modules.get("engine.control.client")
    if client is not None:
        if isinstance(error, client.SilentEngine):
            return CliError(str(error), Exit.NO_ENGINE)
        if isinstance(error, client.NoEngine):
            return CliError(f"{error}: start one with `dagdeck engine start`", Exit.NO_ENGINE)
        if isinstance(error, client.WrongPeer):
            return CliError(str(error), Exit.REFUSED)
        if isinstance(error, client.CommandRefused):
            return CliError(str(error), _REFUSALS.get(error.code, Exit.REFUSED))
    store = sys.modules.get("engine.store.errors")
    if store is not None and isinstance(error, store.StoreError):
        code = {store.NotFound: Exit.NOT_FOUND, store.Ambiguous: Exit.USAGE}.get(type(error), Exit.FAILED)
        return CliError(str(error), code)
    if isinstance(error, sqlite3.Error):
        return CliError(f"the store cannot be read: {error} (`dagdeck doctor` looks further)")
    if isinstance(error, OSError):
        return CliError(_system_error(error))
    return None


def _system_error(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename is not None else what
