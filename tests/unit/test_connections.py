"""Connections: what may stand in dagdeck.toml, where secrets are looked up, and what a task gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from dagdeck import PermanentError, connection
from engine.authoring.connections import Connection, give, names_in, variables
from engine.config import load_settings
from engine.connections import ConnectionUnusable, resolve
from engine.home import Home, HomeError


class Ring(KeyringBackend):
    """A keyring that knows one password, and may be locked."""

    priority = 1.0
    locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("secret-in-message")
        return "from-the-ring" if (service, username) == ("dagdeck", "pg") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


def one(home: Path, value: Any, **environ: str) -> Any:
    """A single field, looked up."""
    return resolve(home, {"pg": {"password": value}}, environ).values["pg"]["password"]


def test_a_secret_comes_from_the_engines_environment(tmp_path: Path) -> None:
    """A variable that is not set is an error that names the connection, the field and the variable."""
    assert one(tmp_path, {"env": "PG"}, PG="from-the-environment") == "from-the-environment"
    with pytest.raises(
        ConnectionUnusable, match="connection pg: password: the variable PG is not set where the engine"
    ):
        one(tmp_path, {"env": "PG"})


def test_a_secret_comes_from_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    """A key of a TOML file, or all of a file; any other file is refused, and no error quotes what is in it."""
    path = tmp_path / "secrets.toml"
    path.write_text('[pg]\npassword = "from-the-file"\n')
    source = {"file": "secrets.toml", "key": "pg.password"}
    path.chmod(0o640)
    with pytest.raises(ConnectionUnusable, match=r"only its owner can read: chmod 600 .*secrets\.toml"):
        one(tmp_path, source)
    path.chmod(0o600)
    assert one(tmp_path, source) == "from-the-file"
    with pytest.raises(ConnectionUnusable, match=r"has no text at pg\.token"):
        one(tmp_path, {"file": "secrets.toml", "key": "pg.token"})
    path.write_text("whole-file-secret =\n")
    assert one(tmp_path, {"file": "secrets.toml"}) == "whole-file-secret ="
    with pytest.raises(ConnectionUnusable, match="is not TOML") as caught:
        one(tmp_path, source)
    assert "whole-file-secret" not in str(caught.value)
    with pytest.raises(ConnectionUnusable, match="cannot be read: No such file"):
        one(tmp_path, {"file": "nowhere"})


def test_a_secret_comes_from_the_keyring(tmp_path: Path) -> None:
    """What the keyring does not have, and a keyring that does not answer, are told without its own words."""
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    try:
        assert one(tmp_path, {"keyring": "dagdeck", "user": "pg"}) == "from-the-ring"
        with pytest.raises(ConnectionUnusable, match="the keyring has nothing for me of dagdeck"):
            one(tmp_path, {"keyring": "dagdeck", "user": "me"})
        ring.locked = True
        with pytest.raises(ConnectionUnusable, match="the keyring does not answer: KeyringLocked") as caught:
            one(tmp_path, {"keyring": "dagdeck", "user": "pg"})
        assert "secret-in-message" not in str(caught.value)
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('password = "plain"', r"connections\.pg\.password must not stand in dagdeck\.toml"),
        ('password = { env = "A", file = "b" }', r"connections\.pg\.password should be \{ env"),
        ('password = { vault = "x" }', r"connections\.pg\.password should be"),
        ('password = { keyring = "x" }', "say whose"),
        ("port = [1]", r"connections\.pg\.port = \[1\] should be text, a number or a source"),
        ("", "should be a table with something in it"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    """A secret never stands in dagdeck.toml itself."""
    (tmp_path / "dagdeck.toml").write_text(f"[connections.pg]\n{text}\n")
    with pytest.raises(HomeError, match=says):
        load_settings(Home(tmp_path))


def test_an_environment_has_its_own_connections(tmp_path: Path) -> None:
    """They go before the home's of the same name; a run keeps references alone."""
    (tmp_path / "dagdeck.toml").write_text(
        '[connections.pg]\nhost = "dev-db"\n[connections.api]\nhost = "api"\n'
        '[env.prod.connections.pg]\nhost = "prod-db"\npassword = { env = "PG" }\n'
    )
    known = load_settings(Home(tmp_path)).environments.known_connections
    assert known()["pg"] == {"host": "dev-db"}
    assert known("prod") == {"pg": {"host": "prod-db", "password": {"env": "PG"}}, "api": {"host": "api"}}


def test_a_connection_is_read_by_field_and_shows_no_secret() -> None:
    """Fields by key and by name, a URI put together with everything escaped, and a harmless repr."""
    found = Connection("pg", {"kind": "postgres", "host": "db", "port": 5432, "user": "me", "password": "a/b@c"})
    assert (found.host, found["port"], dict(found)["user"]) == ("db", 5432, "me")
    assert found.uri == "postgres://me:a%2Fb%40c@db:5432"
    assert "a/b@c" not in repr(found)
    with pytest.raises(AttributeError, match="connection 'pg' has no 'schema'; it has kind, host"):
        _ = found.schema
    assert variables({"my-pg": {"host": "db", "password": "x"}}) == {
        "DAGDECK_CONN_MY_PG": "tcp://:x@db", "DAGDECK_CONN_MY_PG_HOST": "db", "DAGDECK_CONN_MY_PG_PASSWORD": "x",
    }  # fmt: skip


def test_a_task_gets_the_connections_that_it_names() -> None:
    """By a name that is written out in its code, inner functions included; any other has to be declared."""

    def load(name: str) -> object:
        def inner() -> object:
            return connection("second")

        return connection("first"), inner, connection(name)

    assert names_in(load) == ["first", "second"]
    assert names_in(len) == []
    give({"first": {"host": "a"}})
    assert connection("first").host == "a"
    with pytest.raises(PermanentError, match=r"connection 'other' was not given to this task: say connections="):
        connection("other")
    give({})
