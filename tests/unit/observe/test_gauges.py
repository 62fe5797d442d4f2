"""Figures of the host."""

from __future__ import annotations

from pathlib import Path

from engine.observe.gauges import HostMeter


def test_the_host_is_measured_where_the_home_is(tmp_path: Path) -> None:
    """Disk and open files are of this machine, the sizes those of the store's files; no home, no figures."""
    (tmp_path / "kept").write_bytes(b"x" * 5000)
    (tmp_path / "kept-wal").write_bytes(b"x" * 300)
    found = HostMeter(tmp_path, tmp_path / "kept").take()
    assert found is not None
    assert 0 <= found.disk_free <= found.disk_total
    assert found.cores >= 1 and found.descriptors is not None and found.descriptors >= 3
    assert (found.store_bytes, found.wal_bytes) == (5000, 300)
    assert HostMeter(tmp_path / "gone", tmp_path / "gone" / "kept").take() is None
