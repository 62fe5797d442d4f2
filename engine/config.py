"""What a home's `dagdeck.toml` says, with the environment that was chosen laid over it."""

from __future__ import annotations

import os
import pwd
import tomllib
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine import connections
from engine.care import Heartbeat, Retention, Telling, heartbeat_of, retention_of, telling_of
from engine.environments import Environment, Environments, json_table
from engine.home import ENVIRONMENT, Home, HomeError
from engine.model.ids import check_id
from engine.model.roles import Role

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
DEFAULT_LANG = "C.UTF-8"


@dataclass(frozen=True, slots=True)
class Settings:
    """What `dagdeck.toml` says. Sizes in bytes."""

    name: str
    timezone: str = "UTC"
    production: bool = False
    slots: int = 16
    """Task instances that run at the same time in this home."""
    python: str | None = None
    """Interpreter of DAG files and tasks; the engine's own where it is not given."""
    env: dict[str, str] = field(default_factory=dict)
    path: str = DEFAULT_PATH
    lang: str = DEFAULT_LANG
    pools: dict[str, int] = field(default_factory=dict)
    """Slots by pool; -1 is no limit."""
    pools_including_deferred: frozenset[str] = frozenset()
    """Pools in which tasks that have begun and wait without a process keep their slots."""
    max_mapped: int = 10_000
    """Instances that one mapped task may have in a run."""
    roles: dict[str, Role] = field(default_factory=dict)
    """What each person may ask for, by user name; `others` stands for everybody else."""
    environments: Environments = field(default_factory=Environments)
    """`[env.NAME]` tables, and what the home says for all runs."""
    log_limit: int = 64 * 1024 * 1024
    min_free: int = 500 * 1024 * 1024
    min_free_memory: int = 100 * 1024 * 1024
    retention: Retention = field(default_factory=Retention)
    telling: Telling = field(default_factory=Telling)
    heartbeat: Heartbeat | None = None
    keys: dict[str, Any] = field(default_factory=dict)
    """`[keys]`: what the console's keys are; the console checks it."""
    mouse: bool = True
    """Whether the console listens to the mouse."""


_KEYS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "timezone": str,
    "production": bool,
    "slots": int,
    "max_mapped": int,
    "python": str,
    "env": dict,
    "environment": str,
    "params": dict,
    "config": dict,
    "connections": dict,
    "path": str,
    "lang": str,
    "pools": dict,
    "roles": dict,
    "log_limit_mb": int,
    "min_free_mb": int,
    "min_free_memory_mb": int,
    "retention": dict,
    "on_failure": dict,
    "keys": dict,
    "mouse": bool,
    "heartbeat_url": str,
    "heartbeat_seconds": int,
}


def task_environment(home: Home, settings: Settings) -> dict[str, str]:
    """What DAG files are loaded in and tasks start from; a DAG's and a task's own variables come on top."""
    return {
        "PATH": settings.path,
        "HOME": pwd.getpwuid(os.getuid()).pw_dir,
        "LANG": settings.lang,
        "TZ": settings.timezone,
        "DAGDECK_HOME": str(home.root),
        **settings.env,
    }


def choose_environment(home: Home, name: str) -> None:
    """Makes an environment the home's from now on; empty text goes back to what `dagdeck.toml` says.

    Raises HomeError for a name that it does not know.
    """
    load_settings(home, name or None)
    chosen = home.root / ENVIRONMENT
    if name:
        chosen.write_text(f"{name}\n", encoding="utf-8")
    else:
        chosen.unlink(missing_ok=True)


def load_settings(home: Home, environment: str | None = None) -> Settings:
    """Reads `dagdeck.toml`, with an environment laid over it: the one named, else the one that was chosen at the
    engine's start, else the file's own `environment`. Raises HomeError naming the file, the key and what is allowed.
    """
    try:
        raw = tomllib.loads(home.config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HomeError(f"{home.config} cannot be read: {error}") from error
    _check_keys(home, raw, "")
    try:
        return _settings(home, *_lay_over(home, raw, environment))
    except ValueError as error:
        raise HomeError(f"{home.config}: {error}") from error


def _check_keys(home: Home, raw: dict[str, Any], where: str) -> None:
    for key, value in raw.items():
        wanted = _KEYS.get(key)
        if wanted is None:
            raise HomeError(f"{home.config}: unknown setting {where}{key!r}; known are {', '.join(sorted(_KEYS))}")
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            kind = getattr(wanted, "__name__", wanted)
            raise HomeError(f"{home.config}: {where}{key} = {value!r} should be of type {kind}")


def _lay_over(home: Home, raw: dict[str, Any], environment: str | None) -> tuple[dict[str, Any], Environments]:
    """The settings with the active environment's over them. `[env]` holds variables, and a table for each environment.

    Raises HomeError or ValueError.
    """
    variables = {key: value for key, value in raw.get("env", {}).items() if not isinstance(value, dict)}
    tables = {key: value for key, value in raw.get("env", {}).items() if isinstance(value, dict)}
    found = {}
    for name, table in tables.items():
        _check_keys(home, table, f"env.{name}.")
        if {"environment", "name"} & table.keys():
            raise HomeError(f"{home.config}: env.{name}: `environment` and `name` belong to the home")
        found[name] = Environment(
            name=check_id("environment", name),
            production=bool(table.get("production", False)),
            params=json_table(f"env.{name}.params", table.get("params", {})),
            config=json_table(f"env.{name}.config", table.get("config", {})),
            variables=table.get("env", {}),
            connections=_connections(table.get("connections", {})),
        )
        if not all(isinstance(value, str) for value in found[name].variables.values()):
            raise HomeError(f"{home.config}: [env.{name}.env] values should be text, in quotes")
    active = environment or _chosen(home) or raw.get("environment")
    environments = Environments(
        active=active,
        params=json_table("params", raw.get("params", {})),
        config=json_table("config", raw.get("config", {})),
        connections=_connections(raw.get("connections", {})),
        by_name=found,
    )
    above = tables.get(active, {}) if environments.chosen(None) is not None else {}
    pools = {**raw.get("pools", {}), **above.get("pools", {})}
    return {**raw, **above, "pools": pools, "env": {**variables, **above.get("env", {})}}, environments


def _connections(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    for name, definition in table.items():
        connections.check(check_id("connection", name), definition)
    return table


def _roles(home: Home, table: dict[str, Any]) -> dict[str, Role]:
    words = {role.word: role for role in Role}
    for person, word in table.items():
        if word not in words:
            raise HomeError(f"{home.config}: roles.{person} = {word!r} is none of {', '.join(words)}")
    return {person: words[word] for person, word in table.items()}


def _pools(table: dict[str, Any]) -> tuple[dict[str, int], frozenset[str]]:
    """Slots by pool, and the pools that include deferred tasks. Raises ValueError naming the pool."""
    slots, including = {}, set()
    for name, said in table.items():
        full = said if isinstance(said, dict) else {"slots": said}
        size, include = full.get("slots"), full.get("include_deferred", False)
        known = full.keys() <= {"slots", "include_deferred"} and isinstance(include, bool)
        if not known or not isinstance(size, int) or isinstance(size, bool) or size < -1:
            raise ValueError(
                f"[pools] {check_id('pool', name)} should be its slots, 0 or more, or -1 for no limit; or a table "
                "{ slots = 4, include_deferred = true }"
            )
        slots[name] = size
        if include:
            including.add(name)
    return slots, frozenset(including)


def _chosen(home: Home) -> str | None:
    try:
        return (home.root / ENVIRONMENT).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _settings(home: Home, raw: dict[str, Any], environments: Environments) -> Settings:
    def fail(text: str) -> HomeError:
        return HomeError(f"{home.config}: {text}")

    zone = raw.get("timezone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise fail(f"timezone = {zone!r} is not an IANA zone such as 'Europe/Berlin'") from error
    slots = raw.get("slots", 16)
    if not 1 <= slots <= 10_000:
        raise fail(f"slots = {slots} should be between 1 and 10000")
    mapped = raw.get("max_mapped", 10_000)
    if not 1 <= mapped <= 100_000:
        raise fail(f"max_mapped = {mapped} should be between 1 and 100000")
    env = raw.get("env", {})
    if not all(isinstance(value, str) for value in env.values()):
        raise fail("[env] values should be text, in quotes")
    pools, including = _pools(raw.get("pools", {}))
    python = raw.get("python")
    if python is not None and not os.access(python, os.X_OK):
        raise fail(f"python = {python!r} is not an executable file")
    limit, free, memory = raw.get("log_limit_mb", 64), raw.get("min_free_mb", 500), raw.get("min_free_memory_mb", 100)
    if limit < 0 or free < 0 or memory < 0:
        raise fail("log_limit_mb, min_free_mb and min_free_memory_mb should not be negative")
    return Settings(
        name=raw.get("name", home.name),
        timezone=zone,
        production=raw.get("production", False),
        slots=slots,
        max_mapped=mapped,
        python=python,
        env=env,
        path=raw.get("path", DEFAULT_PATH),
        lang=raw.get("lang", DEFAULT_LANG),
        keys=raw.get("keys", {}),
        mouse=raw.get("mouse", True),
        pools=pools,
        pools_including_deferred=including,
        roles=_roles(home, raw.get("roles", {})),
        environments=environments,
        log_limit=limit * 1024 * 1024,
        min_free=free * 1024 * 1024,
        min_free_memory=memory * 1024 * 1024,
        retention=retention_of(raw.get("retention", {})),
        telling=telling_of(raw.get("on_failure", {})),
        heartbeat=heartbeat_of(raw.get("heartbeat_url"), raw.get("heartbeat_seconds", 60)),
    )
