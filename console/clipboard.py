"""Copying through the terminal (OSC 52): works over SSH, with the limits that terminals and multiplexers have."""

from __future__ import annotations

import base64
from collections.abc import Mapping

MOST_BYTES = 74_994
"""Terminals drop longer sequences; this much text is what most of them take."""
_CHUNK = 240
"""Bytes of a passed-on sequence that `screen` takes at once."""


def osc52(text: str, environ: Mapping[str, str]) -> str:
    """The sequence that puts a text into the clipboard of the terminal at hand. Raises ValueError where it is too long.

    `tmux` gets it twice: for itself, if it keeps a clipboard, and to be passed on.
    """
    data = text.encode("utf-8", "replace")
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data):,} bytes are more than a terminal takes ({MOST_BYTES:,})")
    plain = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"
    if environ.get("TMUX"):
        doubled = plain.replace("\x1b", "\x1b\x1b")
        return f"{plain}\x1bPtmux;{doubled}\x1b\\"
    if environ.get("STY") or environ.get("TERM", "").startswith("screen"):
        parts = [plain[at : at + _CHUNK] for at in range(0, len(plain), _CHUNK)]
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return plain
