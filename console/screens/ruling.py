"""What stands in the rule of every view: what a person did to the rows, and how much there is of them."""

from __future__ import annotations

from console.screens.pane import Pane
from console.view.spans import Spans, crop, width_of

_RULE_ENDS = 7
"""Cells of the rule beside the words in it."""


def ruled(before: Spans, pane: Pane, facts: Spans, width: int) -> Spans:
    """The words of the rule of a screen `width` cells wide. What a person did to the rows goes before the `facts`."""
    said = (*before, *_marked_words(pane), *_sorted_words(pane), *_filter_words(pane))
    room = max(width - _RULE_ENDS, 0)
    if said and width_of((*said, *facts)) > room:
        said, facts = (*said[:-1], (said[-1][0].rstrip(), said[-1][1])), ()
    return in_rule(crop((*said, *facts), room))


def _filter_words(pane: Pane) -> Spans:
    """What the rows are filtered by, how many are left, and what is wrong with it."""
    if pane.fault:
        return ((f"{pane.fault.partition(';')[0]}   ", "warn"),)
    if not pane.needle:
        return ()
    sifter = pane.sifter
    count = "" if sifter is None else f"{sifter.shown} of {sifter.total} rows   "
    return ((f"filter {pane.needle}   ", "accent"), (count, "dim"))


def _marked_words(pane: Pane) -> Spans:
    """How many rows are marked."""
    count = 0 if pane.listed is None or not pane.listed.marks else len(pane.listed.marked)
    return ((f"{count} marked   ", "accent bold"),) if count else ()


def _sorted_words(pane: Pane) -> Spans:
    """What the rows are sorted by, where a person chose that."""
    return () if pane.sorting is None else ((f"{pane.sorting.words}   ", "accent"),)


def in_rule(said: Spans) -> Spans:
    """Words that stand in a rule, near its right end."""
    return ((" ", "rule"), *said, (" ────", "rule")) if said else ()
