"""What foreign text can try on a terminal or on Textual, and what a console may send to its terminal."""

from __future__ import annotations

import re

SEQUENCES = (
    "\x1b[31mred\x1b[0m", "\x1b[38;2;1;2;3;48;2;4;5;6mhued\x1b[m", "\x1b[2J\x1b[1;1H", "\x1b[6n\x1b[?1000h\x1bc",
    "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "\x1b]52;c;Y2FuYXJ5\x07", "\x1bP+q544e\x1b\\",
    "\x1b_Gcanary\x1b\\\x1b^canary\x1b\\\x1bXcanary\x1b\\", "\x9b31m\x9d0;canary\x9c\x90canary\x9c\x84\x85\x8d",
)  # fmt: skip
"""Sequences that terminals obey, in seven bits and in eight."""
CONTROLS = ("a\nb\r\nc\td", "\b\b\x7f\x0b\x0c\x0e\x0f\x05", "nul\x00nul")
UNSEEN_TEXT = (
    "\u202e\u2066\u2069\u061c\u200e\u200f", "\u200b\u200d\u2060\ufeff\u00ad\u2028\u2029", "\u115f\u3164\u180e",
    "\U000e0041\U000e007f", "e" + "\u0301" * 40, "\u0301\u0489", "\ufff9\ufffb",
)  # fmt: skip
WIDE = ("漢字" * 9, "👩\u200d👩\u200d👧🏽🇩🇪", "\u26a0\ufe0f", "ﾊﾞ")
MARKUP = (
    "[/]", "\\[/]", "[@click=app.quit]press[/]", "[link=http://x]y[/link]", "[bold red]no[/]", "[bold]no[/]",
    "[on #123456]", "[$accent]", "[reverse blink]",
)  # fmt: skip
EVIL = " ".join(("[bold]no[/]", *SEQUENCES, *CONTROLS, *UNSEEN_TEXT, *WIDE, *MARKUP))
"""All of it. What comes first can be read where there is little room."""
LONG = f"{EVIL} {'x' * 10_000}"
SURROGATES = "\ud800\udfff\udc80"
"""What only JSON and file names can carry."""

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe0f\ufeff\ud800-\udfff]")
"""Characters that no cell may hold."""

_OWN = re.compile(
    rb"\x1b\[(?:\d+;\d+H|\d+G|\d+X|5n|\d+;\d+r|r|[0-9;]*m|\?[0-9;]+[hl]|\?2026\$p|\?2048\$p|>[0-9]+u|<u)"
    rb"|\x1bM|\r\n|\n|\x1b\]52;c;[A-Za-z0-9+/=]*\x07|[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]+"
)
"""What the console itself sends: movements, colours, its modes and questions, the keyboard protocol, what is copied."""
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)[hl]")
_MODES = {
    b"7", b"25", b"1000", b"1002", b"1003", b"1004", b"1006", b"1015", b"1016", b"1049", b"2004", b"2026", b"2048",
}  # fmt: skip
_SGR = re.compile(rb"\x1b\[([0-9;]*)m")
_ATTRIBUTES = frozenset({0, 1, 2, 3, 4, 7, 22, 23, 24, 27, 39, 49})


def foreign(sent: bytes) -> bytes:
    """What of the bytes sent to a terminal is neither printable text nor one of the console's own sequences."""
    rest = _OWN.sub(b"", sent)
    modes = {mode for found in _MODE.findall(sent) for mode in found.split(b";")} - _MODES
    text = re.sub("\x1b\\[[^a-zA-Z]*[a-zA-Z]|\x1b\\][^\x07]*\x07|\x1bM|[\r\n]", "", sent.decode("utf-8"))
    return rest + b"".join(modes) + "".join(UNSEEN.findall(text)).encode("utf-8", "backslashreplace")


def inks(sent: bytes) -> set[str]:
    """The true colours that were switched to, as a theme writes them; other colours and attributes as their codes."""
    found: set[str] = set()
    for codes in _SGR.findall(sent):
        numbers = iter([int(code or 0) for code in codes.split(b";")])
        for number in numbers:
            if number in (38, 48) and next(numbers, 0) == 2:
                found.add("#" + "".join(f"{next(numbers, 0):02x}" for _ in range(3)))
            elif number not in _ATTRIBUTES:
                found.add(str(number))
    return found


def tame(text: str) -> str:
    """The same text, of the same width, in which nothing could be taken for markup; its sequences stay."""
    return re.sub(r"(?<!\x1b)\[", "(", re.sub(r"(?<!\x1b)\]", ")", text))
