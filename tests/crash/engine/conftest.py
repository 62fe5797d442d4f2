"""Homes for the crash tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.support.engine import Site, Sites, closing

OpenSite = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def open_site(sites: Sites) -> OpenSite:
    """Makes homes that are gone, with all their processes, at the end of their block."""

    @asynccontextmanager
    async def opened(dags: Mapping[str, str] | None, config: str = "") -> AsyncIterator[Site]:
        with closing(sites.bare(config) if dags is None else await sites.make(dags, config)) as site:
            yield site

    return opened
