"""What an attempt with secrets writes: none of them gets out, in no form that is promised, and nothing else is lost."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote, quote_plus

import pytest

from engine.execution.process.redact import MASK, Redaction

SECRETS = [
    "s3cr3t-pässwörd/+&=?",
    "hunter2hunter2",
    'with "quotes" and \\slashes\\',
    "abcd",
    "-----BEGIN\nprivate\tkey-----END",
]
ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda secret: secret,
    "repr": lambda secret: repr(secret),
    "json": lambda secret: json.dumps({"k": secret}),
    "json, not only ASCII": lambda secret: json.dumps({"k": secret}, ensure_ascii=False),
    "url": lambda secret: f"https://user:{quote(secret, safe='')}@host/",
    "url path": lambda secret: quote(secret),
    "form": lambda secret: quote_plus(secret),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "hexadecimal": lambda secret: secret.encode().hex(),
}
LEAKS: list[Callable[[str], bytes]] = [lambda secret, e=encode: e(secret).encode() for encode in ENCODINGS.values()]


def through(redaction: Redaction, data: bytes, pick: Random) -> bytes:
    """What comes out when the data arrives in pieces of any size."""
    out, at = b"", 0
    while at < len(data):
        size = pick.choice([1, 2, 3, 7, 64, 4096])
        out += redaction.feed(data[at : at + size])
        at += size
    return out + redaction.end()


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_every_promised_form_of_a_secret_is_found(name: str, secret: str) -> None:
    """The secret as it is and in each encoding becomes the mask; what stands around it stays."""
    text = ENCODINGS[name](secret)
    out = Redaction([secret]).text(f"before {text} after")
    assert out.startswith("before ") and out.endswith(" after")
    assert MASK.decode() in out
    assert text not in out and secret not in out


@pytest.mark.parametrize("before", ["", "u:", "us:", "use:", "user:"])
def test_a_secret_inside_of_longer_base64_is_found(before: str) -> None:
    """As in the header of basic authentication: at whatever place of a group of three bytes it begins."""
    secret = "hunter2hunter2"
    for after in ("", "!", "\n", ":more"):
        encoded = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
        inside = encoded[-(-len(before) * 8 // 6) : (len(before) + len(secret)) * 8 // 6]
        out = Redaction([secret]).text(encoded)
        assert "***" in out and inside not in out
        assert len(out) < len(encoded) - len(inside) + 8


def test_ten_thousand_logs_leak_nothing_and_lose_nothing_else() -> None:
    """Generated logs with secrets in all forms, cut anywhere: none gets through, and other lines are whole."""
    pick = Random(7)
    words = [
        "rows=17",
        "GET /health 200",
        "café ☕",
        "Traceback",
        "abc",
        "hunter",
        "s3cr3t",
        "{}",
        "==",
        "%20",
        "\\u00e4",
    ]
    encodings = list(ENCODINGS.values())
    for number in range(10_000):
        secret = SECRETS[number % len(SECRETS)]
        redaction = _redactions[secret] = _redactions.get(secret) or Redaction([secret])
        lines, plain = [], []
        for _ in range(pick.randint(1, 4)):
            line = " ".join(pick.choices(words, k=3))
            if pick.random() < 0.5:
                line += " " + pick.choice(encodings)(secret)
            else:
                plain.append(line)
            lines.append(line)
        out = through(redaction, "\n".join(lines).encode() + b"\n", pick).decode()
        kept = out.split("\n")
        assert all(line in kept for line in plain if secret not in line)
        assert all(encode(secret) not in out for encode in encodings)


_redactions: dict[str, Redaction] = {}


def test_text_without_secrets_is_not_touched() -> None:
    """No byte is changed or held back at the end, whatever it is."""
    data = bytes(reversed(range(256))) * 50
    assert through(Redaction(SECRETS), data, Random(1)) == data
    assert through(Redaction([]), data, Random(1)) == data


def test_short_values_are_left_as_they_are() -> None:
    """Masking every `a` would hide nothing and spoil everything."""
    assert Redaction(["abc", "", "x"]).text("abc x abc") == "abc x abc"


def test_what_may_become_a_secret_is_held_back_and_let_out_at_the_end() -> None:
    """A line that ends in the first letters of a secret is whole once it is clear that no more comes."""
    redaction = Redaction(["hunter2hunter2"])
    assert redaction.feed(b"hello hunter2") == b"hello "
    assert redaction.feed(b" is not it\n") == b"hunter2 is not it\n"
    assert redaction.feed(b"hunter2") == b""
    assert redaction.end() == b"hunter2"
