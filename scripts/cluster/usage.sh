# Read by the other scripts here, with their arguments: --help shows the head of the script, and too few are told.
case ${1-} in
  -h | --help)
    sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"
    exit 0 ;;
esac
[ "$#" -ge "${arguments:-2}" ] || { echo "${0##*/}: expected$(sed -n '2s/^[^:]*: [^ ]*//p' "$0"); --help tells more" >&2; exit 2; }

# How many lists a plan has: as many tasks in each round.
count_lists() {
  lists=$(find "$1" -maxdepth 1 -name "part-*.list" | wc -l)
  [ "$lists" -gt 0 ] || { echo "${0##*/}: no list in $1; make them by plan.ts" >&2; exit 1; }
  echo "$lists"
}
