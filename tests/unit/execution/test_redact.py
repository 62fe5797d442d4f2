"""What an attempt with secrets writes: none of them gets out, in no form that is promised, and nothing else is lost."""

from __future__ import annotations

import base64
import json
import re
import textwrap
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
    "base64, broken": lambda secret: "\n".join(textwrap.wrap(base64.b64encode(secret.encode()).decode(), 10)),
    "hexadecimal": lambda secret: secret.encode().hex(),
}


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
KEY = "".join(Random(3).choices("abcdefghijkLMNOPQRSTuvwxyz0123456789+/-_ .:", k=700))
WRAPS: dict[str, Callable[[str], str]] = {
    "76 columns": lambda text: "\n".join(textwrap.wrap(text, 76)),
    "64 columns, Windows": lambda text: "\r\n".join(textwrap.wrap(text, 64)),
    "indented": lambda text: "\n    ".join(textwrap.wrap(text, 40)),
    "repr": lambda text: repr("\n".join(textwrap.wrap(text, 76))),
    "JSON": lambda text: json.dumps({"k": "\r\n".join(textwrap.wrap(text, 76))}),
    "Python source": lambda text: "\n  ".join(repr(line) for line in textwrap.wrap(text, 30)),
    "ten a line": lambda text: "\n".join(textwrap.wrap(text, 10)),
}


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("before", ["", "k", "ke", "some text before it, so that it is broken elsewhere: "])
@pytest.mark.parametrize("secret", [KEY, "hunter2hunter2", "s3cr3t-pässwörd/+&=?"])
def test_encoded_secrets_are_found_over_broken_lines(wrap: str, before: str, secret: str) -> None:
    """However the text is broken and at whatever place the secret begins in it, and in whatever pieces it arrives."""
    redaction, pick = Redaction([secret]), Random(5)
    for encode in (base64.b64encode, base64.urlsafe_b64encode, lambda raw: raw.hex().encode()):
        encoded = encode(f"{before}{secret}".encode()).decode()
        text = f"log: {WRAPS[wrap](encoded)} and on\nmore\n"
        for out in (redaction.text(text), through(redaction, text.encode(), pick).decode()):
            assert out.startswith("log: ") and out.endswith(" and on\nmore\n")
            assert "***" in out
            left = re.sub(r"[^A-Za-z0-9+/_=-]", "", out)
            assert len(left) <= len("log:andonmore") + len(encode(before.encode())) + 8 + 2 * out.count("\\") + 1


@pytest.mark.parametrize("start", range(30))
def test_a_part_of_an_encoded_secret_is_found(start: int) -> None:
    """Any window of it, encoded by itself or cut out of the whole, as a tool that splits texts prints it."""
    redaction = Redaction([KEY])
    window = KEY[start : start + 24].encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for text in (encode(window), encode(KEY.encode())[start : start + 32]):
            out = redaction.clean(b"part " + text + b" of it")
            assert out.startswith(b"part ") and out.endswith(b" of it") and MASK in out
            assert len(out) < len(b"part *** of it") + 5


def test_other_encoded_text_is_left_as_it_is() -> None:
    """Hashes, pictures and certificates that are no secret pass whole, in any pieces."""
    pick = Random(11)
    data = "\n".join(textwrap.wrap(base64.b64encode(pick.randbytes(6000)).decode(), 76)).encode() + b"\n"
    data += b"".join(pick.randbytes(20).hex().encode() + b"  file\n" for _ in range(50))
    assert through(Redaction([KEY, *SECRETS]), data, pick) == data


def test_an_ordinary_line_is_out_at_once() -> None:
    """Who follows a log sees each line when it is written: what it ends in is held back only if it may be a secret."""
    redaction = Redaction([KEY, *SECRETS])
    for line in (b"rows=17\n", b"connecting to host\n", b"  2024-01-01 done\r\n", b"progress 3 %\r"):
        assert redaction.feed(line) == line


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
