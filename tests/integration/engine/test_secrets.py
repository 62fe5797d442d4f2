"""Secrets with real processes: they reach the task that is given them, and nothing that is kept or shown."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import stat
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.integration.engine.conftest import MakeSite
from tests.support.cli import Cli
from tests.support.engine import Site, until
from tests.support.trees import contents_of, everything_in

pytestmark = pytest.mark.processes

PASSWORD, TOKEN = 'Tr0ub4dor/&3 "é"+', "file-token-0123456789"
CONFIG = """
[connections.db]
kind = "postgres"
host = "127.0.0.1"
user = "etl"
password = { env = "DB_PASSWORD" }
[connections.api]
token = { file = "secrets.toml", key = "api.token" }
[connections.lost]
password = { env = "NOWHERE" }
"""
FILE = """
import base64, json, sys
from urllib.parse import quote, quote_plus
from dagdeck import Breaker, Partial, TransientError, connection

@task
def prints():
    found = connection("db")
    password = found.password
    print("raw", password, found, found.uri)
    print("json", json.dumps({"p": password}), json.dumps(password, ensure_ascii=False))
    print("url", quote(password), quote(password, safe=""), quote_plus(password))
    print("base64", base64.b64encode(password.encode()).decode(), base64.urlsafe_b64encode(password.encode()).decode())
    print("basic", base64.b64encode(f"etl:{password}".encode()).decode())
    print("broken", *(base64.encodebytes(f"{'x' * before}{password * 9}".encode()).decode() for before in range(3)))
    print("pieces ", end="", flush=True)
    for letter in password:
        sys.stdout.write(letter)
        sys.stdout.flush()
    os.system("echo child has $HELD")
    print("", file=sys.stderr)
    print("the end")
    return {"length": len(password)}

@task
def raises():
    raise ValueError(f"cannot log in as etl with {connection('db').password}")

@task(retries=0)
def guarded():
    with Breaker("vault", failures=9):
        raise TransientError(f"no answer with {connection('db').password}")

@task(retries=0)
def partly():
    return Partial(ok={}, failed=[f"key {connection('db').password}"])

@task
def returns():
    return {"leak": connection("db").password}

@task(connections=["lost"])
def lacks():
    print("never runs")

@task
def not_given(params):
    return connection(params["which"]).host

@dag()
def leaky():
    prints() >> raises()
    guarded()
    partly()
    returns()
    lacks()
    shell("script", 'echo "token $DAGDECK_CONN_API_TOKEN of $DAGDECK_CONN_API"; echo $DAGDECK_CONN_API_TOKEN | base64; '
          'test ${#DAGDECK_CONN_API_TOKEN} = 21; echo "fit: $?"; exit 3', connections=["api"])
    shell("bare", "env | grep -c DAGDECK_CONN; true")
"""


def everything(site: Site) -> dict[str, bytes]:
    """All that the home keeps, but for the file that the secret comes from."""
    return {
        str(path): contents_of(path)
        for path, found in everything_in(site.root)
        if stat.S_ISREG(found.st_mode)
        and path.name not in ("secrets.toml", "dagdeck.toml")
        and "versions" not in path.parts
    }


def forms(secret: str) -> list[bytes]:
    """The secret in every form that is promised to be found."""
    raw = secret.encode()
    texts = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret)]
    texts += [quote(secret, safe=""), quote_plus(secret)]
    encoded = [base64.b64encode(raw), base64.urlsafe_b64encode(raw), raw.hex().encode()]
    return [text.encode() for text in texts] + encoded


def arguments(site: Site) -> str:
    """The argument lists of all processes of the home."""
    found = b""
    for pid in site.processes():
        with contextlib.suppress(OSError):
            found += Path(f"/proc/{pid}/cmdline").read_bytes()
    return found.decode(errors="replace")


async def log_of(site: Site, run_id: str, task_id: str, last: str) -> str:
    """The log of a task's only attempt, once its last line is there."""
    attempt = site.attempts(run_id, task_id)[-1]["id"]
    (path,) = site.home.attempts.rglob(f"{attempt}/log")
    await until(lambda: last in path.read_text(), f"{last!r} in the log of {task_id}")
    return path.read_text()


async def test_a_secret_that_a_task_prints_in_every_encoding_is_nowhere(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reaches the task, and no log, error, result, store, argument list, engine log or export has it."""
    dagdeck = Cli(capsys)
    site = await make_site(None, CONFIG)
    secrets = site.root / "secrets.toml"
    secrets.write_text(f'[api]\ntoken = "{TOKEN}"\n')
    secrets.chmod(0o600)
    site.write("leaky.py", FILE)
    await site.start(DB_PASSWORD=PASSWORD)
    await until(lambda: site.knows("leaky"), "the DAG is loaded")
    run_id = await site.trigger("leaky")
    seen: list[str] = []

    def is_over() -> bool:
        seen.append(arguments(site))
        return site.run_state(run_id) in ("success", "failed")

    await until(is_over, "the run ends")
    states = site.tasks(run_id)
    assert states == {
        "prints": "success", "raises": "failed", "returns": "failed", "lacks": "failed", "script": "failed",
        "bare": "success", "guarded": "failed", "partly": "failed",
    }  # fmt: skip
    await until(lambda: site.value("SELECT count(*) FROM breaker WHERE name = 'vault'"), "the breaker is told")
    assert site.value("SELECT last_error FROM breaker WHERE name = 'vault'") == "TransientError: no answer with ***"
    printed = await log_of(site, run_id, "prints", "the end")
    assert printed.count("***") >= 9 and "pieces ***" in printed and "raw *** <connection db: kind, host" in printed
    assert "postgres://etl:***@127.0.0.1" in printed
    assert "fit: 0" in await log_of(site, run_id, "script", "fit")
    assert await log_of(site, run_id, "bare", "0") == "0\n"
    errors = {name: site.attempts(run_id, name)[0]["error"] for name in states}
    assert errors["raises"] == "ValueError: cannot log in as etl with ***"
    assert "holds a secret of one of its connections" in errors["returns"]
    assert errors["partly"].startswith("what it left undone holds a secret")
    assert errors["lacks"] == "connection lost: password: the variable NOWHERE is not set where the engine was started"
    asked = (
        ("why", run_id, "raises", "--json"),
        ("runs", "show", run_id, "--json"),
        ("logs", run_id, "prints"),
        ("audit", "--json"),
        ("connections", "list", "--json"),
    )
    said = "".join(dagdeck(*words, "--home", site.root).out for words in asked)
    for secret in (PASSWORD, TOKEN):
        for form in forms(secret):
            assert form.decode() not in said
            assert form.decode() not in "".join(seen)
            for path, data in everything(site).items():
                assert form not in data, f"{form!r} is in {path}"


async def test_a_connection_is_checked_as_the_engine_would_use_it(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host that does not answer, or a secret that is not there, is told; a secret too short to be masked, too."""
    dagdeck = Cli(capsys)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        config = f'[connections.db]\nhost = "127.0.0.1"\nport = {port}\npassword = {{ file = "short" }}\n'
        site = await make_site(None, config + '[connections.lost]\ntoken = { env = "NOWHERE" }')
        (site.root / "short").write_text("abc")
        (site.root / "short").chmod(0o600)
        answer = dagdeck("connections", "check", "db", "--home", site.root)
        assert answer.code == 0 and f"127.0.0.1:{port} answers in" in answer.out
        assert "shorter than 4 characters" in answer.err
    answer = dagdeck("connections", "check", "db", "--json", "--home", site.root)
    assert answer.code == 1 and "Connection refused" in answer.json["error"]
    answer = dagdeck("connections", "check", "lost", "--home", site.root)
    assert (answer.code, "the variable NOWHERE is not set" in answer.err) == (1, True)
    assert dagdeck("connections", "check", "nope", "--home", site.root).code == 4


async def test_a_dag_that_names_an_unknown_connection_is_an_import_error(make_site: MakeSite) -> None:
    """It is told by name, with what to add where."""
    site = await make_site(None, CONFIG)
    file = "from dagdeck import connection\n@task\ndef uses():\n    connection('pg')\n"
    site.write("wrong.py", file + "@dag()\ndef wrong():\n    uses()\n")
    await site.start()
    await until(lambda: site.rows("SELECT 1 FROM import_error"), "the file is refused")
    assert site.value("SELECT message FROM import_error") == (
        "task 'uses': there is no connection 'pg' (there are: api, db, lost): add [connections.pg] to dagdeck.toml"
    )
