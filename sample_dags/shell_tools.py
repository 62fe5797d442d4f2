"""Shell tasks: commands get their values through the environment, never by pasting them into the text."""

from dagdeck import dag, shell, task


@task
def count_files():
    """A result for the shell task below."""
    return {"files": 3}


@dag(params={"greeting": 'it\'s a "quoted" $HOME; echo hi'}, tags=["shell"], owner="samples")
def shell_tools(greeting):
    """Whatever the greeting contains, the shell sees it as data."""
    # Params, dates and ids are in DAGDECK_… variables.
    say = shell("say", 'echo "$DAGDECK_PARAM_GREETING"; echo "this run is about $DAGDECK_DS"')

    # `env` takes text with placeholders, params, and results of other tasks.
    counted = count_files()
    tell = shell("tell", 'echo "$FILES files for $TARGET"', env={"FILES": counted["files"], "TARGET": "out/{ds}"})

    # A list is a program with its arguments: no shell takes part.
    plain = shell("plain", ["printf", "%s\n", "no shell, so $HOME and * stay as they are"])

    # Exit code 0 is success, anything else is a failure; standard error is in the log too.
    careful = shell("careful", "set -eu; test -d . ; echo 'working in' \"$PWD\" >&2", retries=1, retry_delay="5s")

    say >> [tell, plain] >> careful
