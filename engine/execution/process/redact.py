"""The one way out for what an attempt with secrets writes: its log, its error and its result pass here.

`redact LOG`: what comes on standard input goes to the log without the secrets, told as JSON on descriptor 5.
Each secret is found as it is, as JSON and URLs escape it, and in base64 and hexadecimal, also in the middle of longer
base64 text, over broken lines, in part, and across the pieces in which it arrives. Values of less than four characters
are left as they are.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from engine.execution.process.channels import SECRETS_FD
from engine.execution.process.wrapped import Wrapped, cores

SHORTEST = 4
MASK = b"***"
_CORE = 6
"""Characters that a piece of base64 must have at least to be told from chance."""
_LINE = 8
_READ = 64 * 1024


class Redaction:
    """Takes secrets out of bytes that come in pieces."""

    def __init__(self, secrets: Iterable[str]) -> None:
        long_enough = [secret for secret in secrets if len(secret) >= SHORTEST]
        found = {form for secret in long_enough for form in forms(secret)}
        self._forms = sorted(found, key=lambda form: (-len(form), form))
        self._pattern = re.compile(b"|".join(map(re.escape, self._forms))) if found else None
        self._longest = max(map(len, self._forms), default=0)
        self._by_start: dict[bytes, list[bytes]] = {}
        for form in self._forms:
            for length in range(1, SHORTEST + 1):
                self._by_start.setdefault(form[:length], []).append(form)
        self._wrapped = Wrapped(long_enough)
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """What can be let out now: the beginning of what may become a secret stays until more has come."""
        if self._pattern is None:
            return data
        data = self._rest + data
        spans, growing = self._spans(data)
        cut = min(len(data) - self._doubtful(data), growing)
        for start, end in spans:
            if start < cut < end:
                cut = start
        out, self._rest = data[:cut], data[cut:]
        return _masked(out, spans)

    def end(self) -> bytes:
        """What was kept back, when no more comes."""
        out, self._rest = self._rest, b""
        return self.clean(out)

    def clean(self, data: bytes) -> bytes:
        """Bytes that are whole, without secrets."""
        return data if self._pattern is None else _masked(data, self._spans(data)[0])

    def text(self, value: str) -> str:
        """Text that is whole, without secrets."""
        return self.clean(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def finds(self, data: bytes) -> bool:
        """Whether a secret is in there."""
        return self._pattern is not None and bool(self._spans(data)[0])

    def _spans(self, data: bytes) -> tuple[list[tuple[int, int]], int]:
        """Where secrets are, in order and apart; and from where on something may still become one in encoded form."""
        assert self._pattern is not None
        found = [match.span() for match in self._pattern.finditer(data)]
        wrapped, growing = self._wrapped.find(data)
        return _merged(found + wrapped), growing

    def _doubtful(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a secret."""
        for start in range(max(0, len(data) - self._longest + 1), len(data)):
            candidates = self._by_start.get(data[start : start + SHORTEST])
            if candidates is not None:
                tail = data[start:]
                if any(form.startswith(tail) and len(form) > len(tail) for form in candidates):
                    return len(tail)
        return 0


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _masked(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """The data up to its end with the mask in place of the spans; spans beyond the end are left out."""
    out, at = [], 0
    for start, end in spans:
        if end > len(data):
            break
        out += [data[at:start], MASK]
        at = end
    return b"".join([*out, data[at:]])


def forms(secret: str) -> set[bytes]:
    """The ways in which a secret is looked for."""
    texts = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    texts |= {text.replace("/", "\\/") for text in texts}
    for escaped in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        texts |= {escaped, re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), escaped)}
    texts |= {line for line in secret.splitlines() if len(line) >= _LINE}
    raw = secret.encode("utf-8", "surrogateescape")
    found = {text.encode("utf-8", "surrogateescape") for text in texts} | {
        raw.hex().encode(),
        raw.hex().upper().encode(),
    }
    found |= {base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    found |= {core for core in cores(raw) if len(core) >= _CORE}
    return {form for form in found if len(form) >= SHORTEST}


def secrets_of(given: Any) -> list[str]:
    """The values that must not be seen, of what was read from SECRETS_FD."""
    return [str(value) for value in given["secrets"]]


def read_given(fd: int = SECRETS_FD) -> Any:
    """What an attempt was given, read from the descriptor that it was started with; the descriptor is then closed."""
    parts, at = [], 0
    while part := os.pread(fd, _READ, at):
        parts.append(part)
        at += len(part)
    os.close(fd)
    return json.loads(b"".join(parts))


def main(arguments: list[str]) -> int:
    """Copies until nobody writes any more, also while everything else of the attempt is being ended."""
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    redaction = Redaction(secrets_of(read_given()))
    log = os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    while data := os.read(0, _READ):
        _write(log, redaction.feed(data))
    _write(log, redaction.end())
    return 0


def _write(log: int, data: bytes) -> None:
    while data:
        data = data[os.write(log, data) :]
