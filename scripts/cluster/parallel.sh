#!/bin/sh
# A plan by GNU parallel: parallel.sh PLAN OUTPUT.html [OPTION of reduce.ts]...
# On this machine, or on those that PARALLEL names (PARALLEL="--sshloginfile nodes --jobs 4"; the folders must have the same
# paths there, and Bun be on their PATH or in BUN). Run it again after a failure and only what is missing is done.
set -eu
. "$(dirname "$0")/usage.sh"
command -v parallel >/dev/null || { echo "parallel.sh: GNU parallel is not installed" >&2; exit 1; }
plan=$(cd "$1" && pwd) output=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
lists=$(find "$plan" -maxdepth 1 -name "part-*.list" | wc -l)
[ "$lists" -gt 0 ] || { echo "parallel.sh: no list in $plan; make them by plan.ts" >&2; exit 1; }
# Twice more where a task fails: on another machine, if there is one.
seq "$lists" | parallel --will-cite --quote --retries 3 --joblog "$plan/joblog" --workdir "$PWD" env "BUN=${BUN:-bun}" sh "$here/part.sh" "$plan" {} "$@"
exec sh "$here/finish.sh" "$plan" "$output"
