"""Trigger rules spelled out over plain lists of upstream states: independent of the engine, slow and obvious."""

from __future__ import annotations

from collections.abc import Callable, Sequence

DONE = ("success", "failed", "upstream_failed", "skipped", "cancelled", "removed")
PENDING = "pending"

_FAILED = ("failed", "cancelled")

FINAL: dict[str, Callable[[Sequence[str]], str]] = {
    "all_success": lambda ups: (
        "fail" if _any(ups, *_FAILED, "upstream_failed") else "skip" if _any(ups, "skipped") else "run"
    ),
    "all_failed": lambda ups: "run" if _only(ups, *_FAILED, "upstream_failed") else "skip",
    "all_done": lambda ups: "run",
    "all_done_setup_success": lambda ups: "run",
    "all_done_min_one_success": lambda ups: (
        "skip" if _any(ups, "skipped") else "run" if _any(ups, "success") else "fail"
    ),
    "all_skipped": lambda ups: "run" if _only(ups, "skipped") else "skip",
    "all_ran": lambda ups: "fail" if _any(ups, "upstream_failed") else "skip" if _any(ups, "skipped") else "run",
    "one_success": lambda ups: "run" if _any(ups, "success") else "skip" if _only(ups, "skipped") else "fail",
    "one_failed": lambda ups: "run" if _any(ups, *_FAILED, "upstream_failed") else "skip",
    "one_done": lambda ups: "run" if _any(ups, "success", *_FAILED) else "skip",
    "none_failed": lambda ups: "fail" if _any(ups, *_FAILED, "upstream_failed") else "run",
    "none_failed_min_one_success": lambda ups: (
        "fail" if _any(ups, *_FAILED, "upstream_failed") else "run" if _any(ups, "success") else "skip"
    ),
    "none_skipped": lambda ups: "skip" if _any(ups, "skipped") else "run",
    "always": lambda ups: "run",
}
"""What each rule says once all upstreams are done, without those that were removed; there is at least one."""

EARLY: dict[str, tuple[tuple[str, ...], str]] = {
    "all_success": ((*_FAILED, "upstream_failed"), "fail"),
    "none_failed": ((*_FAILED, "upstream_failed"), "fail"),
    "none_failed_min_one_success": ((*_FAILED, "upstream_failed"), "fail"),
    "all_ran": (("upstream_failed",), "fail"),
    "one_success": (("success",), "run"),
    "one_failed": ((*_FAILED, "upstream_failed"), "run"),
    "one_done": (("success", *_FAILED), "run"),
}
"""The states of which one is enough to decide before all upstreams are done, and what it decides."""


def verdict(rule: str, upstreams: Sequence[str]) -> str:
    """`run`, `skip`, `fail` or `wait`, for upstream states of which those not in DONE are pending."""
    counted = [state for state in upstreams if state != "removed"]
    if rule == "always" or not counted:
        return "run"
    if all(state in DONE for state in counted):
        return FINAL[rule](counted)
    states, early = EARLY.get(rule, ((), "wait"))
    return early if _any(counted, *states) else "wait"


def _any(upstreams: Sequence[str], *states: str) -> bool:
    return any(state in states for state in upstreams)


def _only(upstreams: Sequence[str], *states: str) -> bool:
    return all(state in states for state in upstreams)
