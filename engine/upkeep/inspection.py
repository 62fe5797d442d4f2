"""What the store of a home is found to be, for whoever stands above the rooms that know."""

from __future__ import annotations

from engine.store.copying import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
