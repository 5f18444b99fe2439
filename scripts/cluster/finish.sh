#!/bin/sh
# The last step of a plan, over what its shares left: finish.sh PLAN OUTPUT.html
# Writes OUTPUT.html and OUTPUT-stats.html (stats.html beside result.html), as one command would. All rows are in
# PLAN/shares/shard-*.arrow, which together are the table: combine-reduced.ts makes one of them.
set -eu
. "$(dirname "$0")/usage.sh"
plan=$1 output=$2
here=$(cd "$(dirname "$0")/.." && pwd)
shares=$(count_lists "$plan")
ready=$(find "$plan/shares" -maxdepth 1 -name "compared-*-of-$shares.part" 2>/dev/null | wc -l)
[ "$shares" -eq "$ready" ] || { echo "finish.sh: $ready of $shares shares of $plan are done" >&2; exit 1; }
exec "${BUN:-bun}" "$here/visualize.ts" --shares "$plan/shares" -o "$output"
