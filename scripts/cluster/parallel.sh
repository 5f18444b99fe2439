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
lists=$(count_lists "$plan")

# A task for each number; twice more where one fails: on another machine, if there is one.
each() {
  log=$1
  shift
  seq "$lists" | parallel --will-cite --quote --retries 3 --joblog "$plan/joblog-$log" --workdir "$PWD" env "BUN=${BUN:-bun}" sh "$@"
}
each parts "$here/part.sh" "$plan" {} "$@"
for round in merge measure compare; do each "$round" "$here/share.sh" "$plan" "$round" {}; done
exec sh "$here/finish.sh" "$plan" "$output"
