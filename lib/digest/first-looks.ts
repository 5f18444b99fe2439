/**
 * The few things of a digest to look at first, each with the command line that shows it.
 *
 * What stands in a command line was an attacker's or an operator's: a value that is not plain is left out, and each word
 * is quoted for a shell.
 *
 * Tested in `test/scripts/digest.test.ts`.
 */
import { plural, toIsoDay } from "../text/format.ts";
import { clipEnd } from "../text/cut.ts";
import { sensorLabel } from "../text/labels.ts";
import { quoteShell } from "../text/shell.ts";
import { visible } from "../text/text.ts";
import type { Digest } from "./digest.ts";

export interface FirstLook {
  /** Safe to show. */
  readonly what: string;
  /** For a shell, from the folder of the toolkit. */
  readonly command: string;
}

const LOOKS = 3;
const NAME_MOST = 40;

/**
 * Choose them: a sensor that is silent first, since nothing else is seen while it is; then what is new and let in or did
 * most, then what changed.
 *
 * @param inputs Logs, as they were named.
 */
export function firstLooks(digest: Digest, inputs: readonly string[]): FirstLook[] {
  const logs = inputs.map(quoteShell).join(" ");
  const line = (script: string, ...rest: string[]) => `bun scripts/${script}.ts ${logs} ${rest.join(" ")}`.trim();
  const since = toIsoDay(digest.firstDay);
  const looks: FirstLook[] = [];
  for (const { sensor } of [...digest.sensorsSilent, ...digest.sensorsAbsent]) {
    if (isPlain(sensor))
      looks.push({ what: `${sensorLabel(sensor)} is silent`, command: line("summary", "--sensor", quoteShell(sensor), "-n 5") });
  }
  for (const { id, name, sessions, addresses } of [...digest.campaignsNew, ...digest.campaignsReturning].slice(0, 1)) {
    const what = `campaign ${clipEnd(visible(name), NAME_MOST)}: ${plural(sessions, "session")} from ${plural(addresses.length, "address", "addresses")}`;
    looks.push({ what, command: line("campaigns", "--campaign", id) });
  }
  if (digest.changes.length > 0) {
    const counts = line("reduce", "--until", toIsoDay(digest.lastDay), "-o -");
    const what = `${plural(digest.changes.length, "tested change")}, with the chance of error`;
    looks.push({ what, command: `${counts} | bun scripts/statistics.ts -f - --csv -l ${digest.lastDay - digest.firstDay + 1}` });
  }
  const hash = digest.newHashes.map(({ value }) => value[0]).find((value): value is string => /^[0-9a-f]{64}$/.test(value ?? ""));
  if (hash !== undefined)
    looks.push({ what: `new file ${hash.slice(0, 16)}…`, command: line("value-counts", "--column src_ip,url,sensor --where", `shasum=${hash}`, "--since", since) });
  const [address] = digest.episodes.flatMap(({ keys }) => keys.filter(({ family }) => family === "address").map(({ values }) => String(values[0])));
  if (address !== undefined && /^[0-9a-f.:]+$/i.test(address))
    looks.push({ what: `${address}, which stood out`, command: line("trace-ip", "-i", address, "-n 10") });
  return looks.slice(0, LOOKS);
}

/** Letters that a person can copy from a mail. */
function isPlain(text: string): boolean {
  return /^[\w .:@-]{1,100}$/.test(text) && !text.startsWith("-");
}
