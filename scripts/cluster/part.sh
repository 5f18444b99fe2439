#!/bin/sh
# One list of a plan to its counts: part.sh PLAN NUMBER [OPTION of reduce.ts]...
# Safe to run again: what is done is left as it is, and an output gets its name only when it is whole. Input that is damaged
# (exit 3 of reduce.ts) is counted as far as it goes and named in the part's log; the part is done all the same.
set -eu
. "$(dirname "$0")/usage.sh"
plan=$1 number=$2
shift 2
here=$(cd "$(dirname "$0")/.." && pwd)
bun=${BUN:-bun}
list=$(find "$plan" -maxdepth 1 -name "part-*.list" | sort | sed -n "${number}p")
[ -n "$list" ] || { echo "part.sh: no list $number in $plan" >&2; exit 1; }
stem=${list%.list}
# Counts that are younger than the list are of this plan.
[ "$stem.arrow" -nt "$list" ] && exit 0

reduce() { "$bun" "$here/reduce.ts" --files0-from "$list" --mapped-dir "$plan/tables" -o "$stem.arrow" --wait 600 "$@" >"$stem.log" 2>&1; }
code=0
reduce "$@" || code=$?
# Killed, as for want of memory: once more with one log at a time.
[ "$code" -ne 137 ] || { code=0; reduce --jobs 1 "$@" || code=$?; }
case $code in
  0 | 3) exit 0 ;;
  *) cat "$stem.log" >&2; exit "$code" ;;
esac
