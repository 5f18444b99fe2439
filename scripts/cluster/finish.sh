#!/bin/sh
# The parts of a plan to one table and both reports: finish.sh PLAN OUTPUT.html
# Writes OUTPUT.html, OUTPUT-stats.html (stats.html beside result.html), OUTPUT.arrow and OUTPUT.json.
set -eu
. "$(dirname "$0")/usage.sh"
plan=$1 output=$2
here=$(cd "$(dirname "$0")/.." && pwd)
bun=${BUN:-bun}
lists=$(find "$plan" -maxdepth 1 -name "part-*.list" | wc -l)
tables=$(find "$plan" -maxdepth 1 -name "part-*.arrow" | wc -l)
[ "$lists" -gt 0 ] && [ "$lists" -eq "$tables" ] || { echo "finish.sh: $tables of $lists parts of $plan are done" >&2; exit 1; }
stem=${output%.html}
find "$plan" -maxdepth 1 -name "part-*.arrow" -print0 | sort -z | "$bun" "$here/combine-reduced.ts" --files0-from - -o "$stem.json"
exec "$bun" "$here/visualize.ts" "$stem.arrow" -o "$output"
