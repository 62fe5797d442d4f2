"""DAGs whose every task's behaviour is known, for tests that break things while they run."""

from __future__ import annotations

from tests.support.checker import Behaviour

EXCLUSIVE = """
import fcntl

def alone(*names):
    note("begin")
    for name in names or (os.environ["DAGDECK_RUN_ID"] + "." + os.environ["DAGDECK_TASK_ID"],):
        lock = os.open(os.path.join(os.environ["DAGDECK_HOME"], "locks-" + name), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("overlap-" + name)

ALONE = NOTE + '''
note begin
exec 9>"$DAGDECK_HOME/locks-$DAGDECK_RUN_ID.$DAGDECK_TASK_ID"
if command -v flock >/dev/null; then flock -n 9 || note overlap-"$DAGDECK_RUN_ID.$DAGDECK_TASK_ID"; fi
'''
"""
SMALL_DAG = "small"
SMALL = {
    "small.py": EXCLUSIVE
    + """
@task(retries=3, retry_delay="0s")
def make():
    alone()
    note("end")
    return {"n": 1}

@task(retries=3, retry_delay="0s")
def use(data, try_number):
    alone()
    assert data == {"n": 1}
    if try_number == 1:
        raise RuntimeError("not yet")
    note("end")

@task(retries=3, retry_delay="0s")
def stuck():
    alone()
    until_exists("release." + os.environ["DAGDECK_RUN_ID"])
    note("end")

def tell(context):
    note("begin")

@dag(on_success_callback=tell)
def small():
    use(make())
    shell("script", ALONE + "note end", retries=3, retry_delay="0s")
    stuck()
"""
}
SMALL_BEHAVIOURS = {
    (SMALL_DAG, "make"): Behaviour(retries=3),
    (SMALL_DAG, "use"): Behaviour(retries=3, failing=1),
    (SMALL_DAG, "script"): Behaviour(retries=3),
    (SMALL_DAG, "stuck"): Behaviour(retries=3),
}

MIX = {
    "mix.py": EXCLUSIVE
    + """
def tell(context):
    note("begin")

@task
def short():
    alone()
    note("end")
    return {"n": 1}

@task
def chained(data):
    alone()
    assert data == {"n": 1}
    note("end")
    return data["n"] + 1

@task
def lengthy():
    alone()
    time.sleep(0.7)
    note("end")

@task
def flaky(try_number):
    alone()
    if try_number <= 2:
        raise ConnectionError("db-1:5432 refused")
    note("end")

@task
def passes_by():
    alone()
    raise SkipTask("nothing to do")

@task(pool="narrow")
def narrow():
    alone("narrow")
    note("end")

@task(isolate=True)
def cold():
    alone()
    note("end")

@task
def hopeless():
    alone()
    raise ValueError("never")

@dag(default_args={"retries": 4, "retry_delay": "50ms"}, on_success_callback=tell, on_failure_callback=tell)
def mix():
    two = chained(short())
    checked = shell("checked", ALONE + 'test "$N" = 2 && note end', env={"N": two})
    long_script = shell("long_script", ALONE + "sleep 0.7; note end")
    first, second = narrow.override(task_id="narrow1")(), narrow.override(task_id="narrow2")()
    [lengthy(), flaky(), checked, long_script, first, second] >> shell("last", ALONE + "note end")
    flaky.override(task_id="flaky2", on_retry_callback=tell)()
    passes_by() >> shell("passed_by", ALONE + "note end")
    cold()

@dag(default_args={"retry_delay": "50ms"}, on_failure_callback=tell)
def doomed():
    hopeless.override(retries=2)() >> shell("never", ALONE + "note end")
    shell("final", ALONE + "sleep 0.3; note end", retries=0)
    shell("fails", ALONE + "exit 7", retries=1)
"""
}
MIX_BEHAVIOURS = {
    **{
        ("mix", name): Behaviour(retries=4)
        for name in ("short", "chained", "checked", "long_script", "lengthy", "last", "passed_by", "cold")
    },
    ("mix", "flaky"): Behaviour(retries=4, failing=2),
    ("mix", "flaky2"): Behaviour(retries=4, failing=2),
    ("mix", "passes_by"): Behaviour(retries=4, skips=True),
    ("mix", "narrow1"): Behaviour(retries=4, pool="narrow"),
    ("mix", "narrow2"): Behaviour(retries=4, pool="narrow"),
    ("doomed", "hopeless"): Behaviour(retries=2, failing=1000),
    ("doomed", "never"): Behaviour(),
    ("doomed", "final"): Behaviour(),
    ("doomed", "fails"): Behaviour(retries=1, failing=1000),
}
