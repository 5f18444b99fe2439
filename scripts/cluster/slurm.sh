#!/bin/sh
# A plan by Slurm: slurm.sh PLAN OUTPUT.html [OPTION of reduce.ts]...
# An array of one task a list, three of one task a share of the keys (merge, measure, compare), and behind them the report.
# Tasks of a node that dies are queued again and begin where they were; run it again after a failure and only what is missing
# is done. Partition, account, memory and time are told by Slurm's own variables: SBATCH_PARTITION, SBATCH_ACCOUNT,
# SBATCH_MEM_PER_NODE, SBATCH_TIMELIMIT. Prints the job numbers: of the four arrays, of the report.
set -eu
. "$(dirname "$0")/usage.sh"
command -v sbatch >/dev/null || { echo "slurm.sh: Slurm is not installed here: no sbatch" >&2; exit 1; }
plan=$(cd "$1" && pwd) output=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
lists=$(count_lists "$plan")
mkdir -p "$plan/slurm"

# Words for the shell of a job, whatever is in them.
quote() { for word; do printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done; }
submit() { sbatch --parsable --requeue --chdir "$PWD" --output "$plan/slurm/%j.log" "$@" | cut -d ';' -f 1; }
after() { submit --dependency "afterok:$1" --kill-on-invalid-dep yes --job-name "$2" --wrap "$3" $4; }

array="--array 1-$lists"
job=$(submit --job-name cowrie-parts $array --wrap "exec sh$(quote "$here/part.sh" "$plan") \"\$SLURM_ARRAY_TASK_ID\"$(quote "$@")")
echo "$job"
for round in merge measure compare; do
  job=$(after "$job" "cowrie-$round" "exec sh$(quote "$here/share.sh" "$plan" "$round") \"\$SLURM_ARRAY_TASK_ID\"" "$array")
  echo "$job"
done
after "$job" cowrie-report "exec sh$(quote "$here/finish.sh" "$plan" "$output")" ""
