"""From an exception to its failure class: whether trying again makes sense. A pure function.

Other packages' exceptions are told by the names in their class hierarchy, so that nothing has to be imported for it.
"""

from __future__ import annotations

from engine.authoring.exceptions import PermanentError, TransientError
from engine.model.states import FailureClass

_TRANSIENT_STATUS = frozenset({408, 425, 429})
_PERMANENT_STATUS = frozenset({401, 403})
_SQLITE_BUSY = (5, 6)
"""SQLITE_BUSY and SQLITE_LOCKED."""

_TRANSIENT_NAMES = frozenset(
    {
        "httpx.TransportError",
        "requests.ConnectionError",
        "requests.Timeout",
        "urllib3.TimeoutError",
        "urllib3.ProtocolError",
        "aiohttp.ClientConnectionError",
    }
)
_PERMANENT_NAMES = frozenset(
    {
        "botocore.NoCredentialsError",
        "botocore.PartialCredentialsError",
        "google.DefaultCredentialsError",
        "google.RefreshError",
        "jsonschema.ValidationError",
        "jsonschema.SchemaError",
        "pydantic.ValidationError",
        "pydantic_core.ValidationError",
    }
)


def classify(error: BaseException) -> FailureClass:
    """What retrying may expect of this failure: `permanent`, `transient`, `infrastructure` or `unknown`."""
    if isinstance(error, PermanentError):
        return FailureClass.PERMANENT
    if isinstance(error, TransientError):
        return FailureClass.TRANSIENT
    status = http_status(error)
    if status is not None:
        if status in _PERMANENT_STATUS:
            return FailureClass.PERMANENT
        return FailureClass.TRANSIENT if status in _TRANSIENT_STATUS or 500 <= status <= 599 else FailureClass.UNKNOWN
    if isinstance(error, ConnectionError | TimeoutError) or _is_busy(error):
        return FailureClass.TRANSIENT
    if isinstance(error, ImportError | SyntaxError):
        return FailureClass.PERMANENT
    if isinstance(error, MemoryError):
        return FailureClass.INFRASTRUCTURE
    return _by_name(error)


def http_status(error: BaseException) -> int | None:
    """The HTTP status that an exception of an HTTP client carries, if it carries one."""
    response = _attribute(error, "response")
    places = ((response, "status_code"), (error, "status_code"), (error, "status"), (error, "code"))
    for place, name in places:
        value = _attribute(place, name)
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return value if response is not None or "http" in _names(error) else None
    return None


def _attribute(holder: object, name: str) -> object:
    """An attribute, or None: exceptions may compute theirs, and fail at it."""
    try:
        return getattr(holder, name, None)
    except Exception:
        return None


def _names(error: BaseException) -> str:
    """The exception's classes as text, in lower case."""
    return " ".join(f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__).lower()


def _is_busy(error: BaseException) -> bool:
    code = _attribute(error, "sqlite_errorcode")
    return isinstance(code, int) and code & 0xFF in _SQLITE_BUSY


def _by_name(error: BaseException) -> FailureClass:
    for kind in type(error).__mro__:
        name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
        if name in _TRANSIENT_NAMES:
            return FailureClass.TRANSIENT
        if name in _PERMANENT_NAMES:
            return FailureClass.PERMANENT
    return FailureClass.UNKNOWN
