#!/bin/sh
# One share of the keys of a plan, once its parts are done: share.sh PLAN ROUND NUMBER
# ROUND is merge (its rows of all parts to one table), then measure, then compare (statistics.ts); there are as many shares as
# lists, and each round begins when the one before is done for all. Safe to run again, as part.sh is. What is compared, and how, is
# told in PLAN/compare.options, if it is there: options of statistics.ts --measure (--sensor, --kind, --last-n-days ...), a word a line.
set -eu
arguments=3
. "$(dirname "$0")/usage.sh"
plan=$1 round=$2 number=$3
here=$(cd "$(dirname "$0")/.." && pwd)
bun=${BUN:-bun}
shares=$(count_lists "$plan")
share=$number/$shares
work=$plan/shares
options=$plan/compare.options

# Whether a file is there, and none that it is made of is younger.
is_fresh() { [ -e "$1" ] && [ -z "$(find "$2" -maxdepth 1 -name "$3" -newer "$1")" ]; }

compare() {
  set -- "$work"/shard-*-of-"$shares".arrow "--$1" "$share" --shares "$work" -q
  if [ -e "$options" ]; then
    while IFS= read -r word || [ -n "$word" ]; do [ -z "$word" ] || set -- "$@" "$word"; done <"$options"
  fi
  exec "$bun" "$here/statistics.ts" "$@"
}

case $round in
  merge)
    is_fresh "$work/shard-$number-of-$shares.arrow" "$plan" "part-*.arrow" && exit 0
    code=0
    find "$plan" -maxdepth 1 -name "part-*.arrow" -print0 | sort -z |
      "$bun" "$here/combine-reduced.ts" --files0-from - --shard "$share" -o "$work/shard-$number-of-$shares.arrow" -q || code=$?
    # A part without an event (exit 3) was told by its reduction.
    case $code in 0 | 3) exit 0 ;; *) exit "$code" ;; esac ;;
  measure)
    is_fresh "$work/shown-$number-of-$shares.part" "$work" "shard-*-of-$shares.arrow" && ! [ "$options" -nt "$work/shown-$number-of-$shares.part" ] && exit 0
    compare measure ;;
  compare)
    is_fresh "$work/compared-$number-of-$shares.part" "$work" "measured-*-of-$shares.part" && exit 0
    compare compare ;;
  *) echo "share.sh: no round $round; expected merge, measure or compare" >&2; exit 2 ;;
esac
