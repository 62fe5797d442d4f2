"""Commands as people type them: shown in messages and copied from there into a shell."""

from __future__ import annotations

import shlex


def quoted(word: object) -> str:
    """One word of a shell's command line: as it is where that is plain, else in quotes."""
    return shlex.quote(str(word))


def dagdeck(home: object, *words: object) -> str:
    """The command line of a verb for a home."""
    return shlex.join(["dagdeck", "--home", str(home), *map(str, words)])
