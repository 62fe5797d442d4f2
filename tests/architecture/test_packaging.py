"""The wheel: built from this tree, put somewhere else, and used from there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.cli.demo_home import CONFIG
from engine.version import VERSION
from tests.support.source import PROJECT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A wheel of this tree, built without the network."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PROJECT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    yield built


def test_the_wheel_holds_everything_and_nothing_else(wheel: Path) -> None:
    """Code, SQL, themes and sample DAGs with their data are in the wheel; tests and benchmarks are not."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"dagdeck.py", "engine", "console", "themes", "sample_dags"}
    for wanted in ("engine/store/sql/run.sql", "sample_dags/data/seattle-weather.csv", "sample_dags/weather_daily.py"):
        assert wanted in names
    assert [name for name in names if name.startswith("themes/") and name.endswith(".toml")]
    assert not [name for name in names if "__pycache__" in name]


def test_the_installed_command_works_from_elsewhere(wheel: Path, tmp_path: Path) -> None:
    """From a wheel in a folder of its own: a home, its DAG with and without an engine, and all sample DAGs."""
    place = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(place), str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}

    def dagdeck(*arguments: str) -> str:
        done = subprocess.run(
            [str(place / "bin" / "dagdeck"), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    assert dagdeck("--version") == f"dagdeck {VERSION}\n"
    dagdeck("init", "etl")
    assert "ok     hello.py" in dagdeck("--home", "etl", "dags", "validate")
    assert "success" in dagdeck("--home", "etl", "test", "hello")
    dagdeck("--home", "etl", "engine", "start")
    try:
        assert "success" in dagdeck("--home", "etl", "trigger", "hello", "--wait", "--yes")
    finally:
        dagdeck("--home", "etl", "engine", "stop", "--kill", "--yes")
    (tmp_path / "etl" / "dagdeck.toml").write_text(CONFIG)
    assert "weather_daily" in dagdeck("--home", "etl", "dags", "validate", str(place / "sample_dags"))
    origin = subprocess.run(
        [sys.executable, "-c", "import engine; print(engine.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert origin.stdout.startswith(str(place))
