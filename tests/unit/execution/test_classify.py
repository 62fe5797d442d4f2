"""Failure classes of exceptions."""

from __future__ import annotations

import sqlite3
import urllib.error
from email.message import Message
from types import SimpleNamespace

import httpx
import pytest

from engine.authoring.exceptions import FailTask, PermanentError, RetryAfter, TransientError
from engine.execution.process.classify import classify
from engine.model.states import FailureClass

PERMANENT, TRANSIENT = FailureClass.PERMANENT, FailureClass.TRANSIENT
UNKNOWN, INFRASTRUCTURE = FailureClass.UNKNOWN, FailureClass.INFRASTRUCTURE


def http(status: int) -> BaseException:
    """What httpx raises for an answer of this status."""
    request = httpx.Request("GET", "https://example.test")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(status, request=request))


def busy() -> sqlite3.OperationalError:
    """What SQLite raises when somebody else writes."""
    first, second = sqlite3.connect("file:busy?mode=memory&cache=shared", uri=True), None
    try:
        first.execute("CREATE TABLE t (x)")
        first.execute("BEGIN IMMEDIATE")
        second = sqlite3.connect("file:busy?mode=memory&cache=shared", uri=True, timeout=0)
        second.execute("INSERT INTO t VALUES (1)")
    except sqlite3.OperationalError as problem:
        return problem
    finally:
        first.close()
        if second is not None:
            second.close()
    raise AssertionError("SQLite was not busy")


def named(module: str, name: str) -> BaseException:
    """An exception of a package that is not installed."""
    kind = type(name, (Exception,), {"__module__": module})
    error = kind("x")
    assert isinstance(error, BaseException)
    return error


class Evil(Exception):
    """Computes its attributes, and fails."""

    @property
    def response(self) -> object:
        """Raises."""
        raise RuntimeError("no response")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermanentError("x"), PERMANENT),
        (FailTask("x"), PERMANENT),
        (TransientError("x"), TRANSIENT),
        (RetryAfter("5s"), TRANSIENT),
        (ConnectionRefusedError(), TRANSIENT),
        (TimeoutError(), TRANSIENT),
        (httpx.ConnectError("x"), TRANSIENT),
        (httpx.ReadTimeout("x"), TRANSIENT),
        (named("requests.exceptions", "Timeout"), TRANSIENT),
        (named("botocore.exceptions", "NoCredentialsError"), PERMANENT),
        (named("pydantic_core._pydantic_core", "ValidationError"), PERMANENT),
        (named("mine", "ValidationError"), UNKNOWN),
        (http(401), PERMANENT),
        (http(403), PERMANENT),
        (http(404), UNKNOWN),
        (http(408), TRANSIENT),
        (http(425), TRANSIENT),
        (http(429), TRANSIENT),
        (http(500), TRANSIENT),
        (http(599), TRANSIENT),
        (urllib.error.HTTPError("https://example.test", 503, "no", Message(), None), TRANSIENT),
        (busy(), TRANSIENT),
        (ImportError("x"), PERMANENT),
        (ModuleNotFoundError("x"), PERMANENT),
        (SyntaxError("x"), PERMANENT),
        (MemoryError(), INFRASTRUCTURE),
        (ValueError("x"), UNKNOWN),
        (KeyboardInterrupt(), UNKNOWN),
        (Evil(), UNKNOWN),
        (SystemExit(503), UNKNOWN),
    ],
    ids=repr,
)
def test_the_class_follows_from_the_exception(error: BaseException, expected: FailureClass) -> None:
    """Each exception has the class that the table of built-in rules gives it."""
    assert classify(error) is expected


def test_a_status_without_http_is_no_http_status() -> None:
    """A number that happens to be called `code` or `status` says nothing about HTTP."""
    error = ValueError("x")
    error.__dict__.update(SimpleNamespace(code=503, status=503).__dict__)
    assert classify(error) is UNKNOWN
