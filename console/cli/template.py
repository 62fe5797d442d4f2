"""What `dagdeck init` writes: the settings, each commented with its meaning and default, and a first DAG."""

from __future__ import annotations

CONFIG_TEXT = """\
# The settings of this dagdeck home. Every setting stands here with its default; take the `#` away to change it.
# The engine reads this file when it starts.

# The home's name, as the console's header shows it. Default: the name of this folder.
# name = "etl"

# In a production home a change of more than one thing is confirmed by typing the number of things, and new DAGs come
# paused.
# production = false

# The zone of schedules and dates that name none: an IANA name.
# timezone = "UTC"

# Task instances that run at the same time, over all DAGs.
# slots = 16

# Instances that one mapped task may have in a run.
# max_mapped = 10000

# The interpreter of DAG files and Python tasks: an absolute path, Python 3.11 or newer. Default: the engine's own.
# It needs nothing of dagdeck installed.
# python = "/srv/etl/venv/bin/python"

# PATH and LANG of every task. Tasks inherit nothing from the shell that started the engine.
# path = "/usr/local/bin:/usr/bin:/bin"
# lang = "C.UTF-8"

# What one attempt may write to its log, in MiB; beyond it, head and tail are kept and the gap is marked. 0: no limit.
# log_limit_mb = 64

# No task starts while the disk has less free than this, in MiB.
# min_free_mb = 500

# The memory guard: nothing starts while new processes could have less memory than this; 0: no guard.
# min_free_memory_mb = 100

# Which [env.NAME] is used unless another is chosen, with `engine start --env NAME` or `trigger --env NAME`.
# environment = "dev"

# An address that is asked for every minute while the engine is well: its silence tells that the engine is dead.
# heartbeat_url = "https://example.org/ping/etl"
# heartbeat_seconds = 60

# Whether the console listens to clicks and the wheel. With Shift the terminal's own selection works all the same.
# mouse = true

# How long things are kept, in days; 0 is for ever. The last good and the last failed attempt of each task stay.
# It is pruned every night at `at`, in the home's zone.
[retention]
# log_days = 30
# log_gb = 20
# run_days = 365
# event_days = 90
# audit_days = 0
# at = "03:00"

# Who hears of failed runs: a command, which reads the message as JSON, or a web address, which it is posted to.
# What fails within gather_seconds is one message; between two there are at least apart_seconds.
[on_failure]
# command = ["/usr/local/bin/page", "etl"]
# webhook = "https://example.org/hooks/etl"
# gather_seconds = 10
# apart_seconds = 300
# dags = { "trades_*" = { webhook = "https://example.org/hooks/trades" } }

# Further environment of every task. A DAG and a task may add their own.
[env]
# WAREHOUSE = "/srv/etl/warehouse.db"

# An environment: every setting but `name` and `environment` may stand here, and goes before what stands elsewhere.
[env.dev]
# production = false

# Values of DAG params that have no default of their own.
[params]
# region = "eu"

# What every task finds as `config`.
[config]
# source = "s3://dev-data/"

# Other systems, for `connection("warehouse")` in a task. Secrets never stand here, only where they are:
# in a variable of the engine, a file that only its owner can read, or the system's keyring.
[connections]
# warehouse = { kind = "postgresql", host = "db-1", port = 5432, user = "etl", password = { env = "WAREHOUSE" } }

# Who may ask for what: viewer looks, operator changes runs, admin also stops the engine.
[roles]
# others = "operator"
# ada = "admin"

# The console's keys: a preset (default, airflow, k9s, arrows), and keys by the name of the action; "" takes one away.
[keys]
# preset = "default"
# acknowledge = ["a", "ctrl+a"]
# "log.wrap" = "w"

# Pools: how many slots tasks of different DAGs share, for instance connections to one database. -1: no limit.
[pools]
# db = 4
# api = { slots = 2, include_deferred = true }
"""

FIRST_DAG_FILE = "hello.py"

FIRST_DAG = '''\
"""A first DAG. Save a change and it is live within three seconds."""

from datetime import timedelta

from dagdeck import dag, shell, task


@task(retries=2, retry_delay=timedelta(seconds=10))
def count_words(logical_date):
    """What a task returns is handed to the tasks that take it; what it prints is its log."""
    text = "work outlives the screen"
    print(f"counting for {logical_date:%Y-%m-%d}")
    return {"text": text, "words": len(text.split())}


@task
def report(counted):
    print(f"{counted['words']} words in {counted['text']!r}")


@dag(schedule="0 * * * *", start_date="2026-01-01", catchup=False, tags=["first"])
def hello():
    """Counts a few words, every hour."""
    report(count_words()) >> shell("greet", "echo Hello from $DAGDECK_RUN_ID")
'''
