"""Keeps Python's cyclic garbage collector out of the way of loops that people and tasks wait for.

A full collection looks at every container there is: with a hundred thousand of them, which a run of some thousand tasks
makes, it stops the process for a tenth of a second. Nearly all of what dagdeck drops is freed by reference counts; the
collector is for the rest, and may come seldom. What is left for it waits for a moment in which nobody does.
"""

from __future__ import annotations

import ctypes
import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 50
"""Containers made before the youngest are looked at, and of how many such looks one goes further back."""


def calm() -> None:
    """Takes what stands for permanent, and has new containers looked at in large lots. Call it when all is loaded.

    It does not collect first: that would be the very stop that it is to spare.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)


def sweep() -> None:
    """Collects all garbage there is, and gives the memory back that the C library keeps for later.

    Takes some hundredths of a second: for moments in which nobody waits.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others have none, and keep less
    if trim is not None:
        trim(0)
