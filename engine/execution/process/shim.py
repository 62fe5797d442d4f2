"""The shell that stands over a shell task: it claims, runs the task, and writes how it ended, whoever else is alive.

Arguments: `$0` attempt directory, `$1` boot id, `$2` attempt id, `$3` working folder, then the command. Descriptors
1 and 2 are the log, 4 is the runner's pipe, and one more holds the attempt's lock: the task inherits it, so that the
attempt counts as alive as long as anything of it is. The traps are handlers: a task would inherit an "ignore". The
shell closes its own standard error, because it would remark on how the task ended, and the log is the task's alone.
"""

from __future__ import annotations

LOCK_FD = 98
"""Above what shells use for themselves, and above what scripts commonly name."""

SCRIPT = r"""trap : TERM HUP INT PIPE
i=$2 b=$1 c=$3; shift 3
cd -- "$0" || exit 96
t=0; f() { t=${20}; }
set -fC
read -r s </proc/$$/stat && f ${s##*) }
printf '{"v":1,"pid":%d,"started":%d,"boot_id":"%s"}\n' $$ "$t" "$b" 2>&- >claim || exit 97
printf '["c","%s",%d,%d]\n' "$i" $$ "$t" 2>&- >&4
exec 4>&- 2>&-
( cd -- "$c" || exit 126; unset OLDPWD; exec "$@" ) 2>&1
s=$?
{ printf 'v1 %d\n' $s; times; } >status
exit $s
"""

LIMIT = r"""g=$1; shift
if [ -z "$g" ] || ! { echo 0 >"$g/cgroup.procs"; } 2>/dev/null; then ulimit -S -d "$0"; fi
exec "$@"
"""
"""What stands before the command of a task with a memory limit: `$0` kilobytes, `$1` its control group or nothing."""
