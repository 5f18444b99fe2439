/**
 * Every function that takes an attacker's text takes time that grows with its length: the text eight times as long,
 * measured in the same run, takes no more than sixty-four times as long.
 */
import { expect, test } from "bun:test";
import { isEveryday } from "../../lib/campaigns/everyday.ts";
import { marksOfUrl } from "../../lib/campaigns/marks.ts";
import { nearness } from "../../lib/campaigns/near-chains.ts";
import { NORMALIZE } from "../../lib/events/schema.ts";
import { parseExclusions } from "../../lib/indicators/keep-out.ts";
import { toPattern } from "../../lib/indicators/stix.ts";
import { addressBytes, addressMatcher } from "../../lib/text/address.ts";
import { fetchedBy, toFetched } from "../../lib/text/command-urls.ts";
import { guardFormula, toCsvLine, unguardFormula } from "../../lib/text/csv.ts";
import { matchesGlob } from "../../lib/text/glob.ts";
import { sensorLabel } from "../../lib/text/labels.ts";
import { toLongText } from "../../lib/text/long-text.ts";
import { maskCommand, sshKeysOf, urlHostOf } from "../../lib/text/masks.ts";
import { purposeOf } from "../../lib/text/purpose.ts";
import { quoteShell } from "../../lib/text/shell.ts";
import { publicKeysOf } from "../../lib/text/ssh-keys.ts";
import { formatTable } from "../../lib/text/text-table.ts";
import { techniquesOf } from "../../lib/text/techniques.ts";
import { ellipsize, quoteForMessage, toSafeJson, visible, wrapText } from "../../lib/text/text.ts";
import { parseTimestampUs } from "../../lib/text/time.ts";
import { measureGrowth, workMs } from "../support/growth.ts";
import { toIndicator } from "../support/indicators.ts";
import { PUMPS } from "./attacker.ts";
import { clipMiddle, cutLong } from "../../lib/text/cut.ts";

const FUNCTIONS: Readonly<Record<string, (text: string) => unknown>> = {
  maskCommand,
  sshKeysOf,
  urlHostOf,
  urlHostOfAddress: text => urlHostOf(`http://${text}`),
  marksOfUrl: text => marksOfUrl(`http://${text}`),
  publicKeysOf,
  isEveryday,
  nearness: text => nearness([text], [`${text}x`]),
  purposeOf,
  techniquesOf,
  purposeOfEcho: text => purposeOf(`echo ${text}`),
  ...NORMALIZE,
  fetchedBy,
  fetchedByWget: text => fetchedBy(`wget http://${text}`),
  toFetched,
  toFetchedOfHost: text => toFetched(`http://${text}`),
  parseExclusions,
  toPatternOfUrl: text => toPattern(toIndicator({ type: "url", value: text })),
  addressBytes,
  addressMatcher,
  matchesAddress: addressMatcher("2001:db8::/32")!,
  parseTimestampUs,
  matchesGlob: text => matchesGlob("*a*b*c?", text),
  guardFormula,
  unguardFormula,
  toCsvLine: text => toCsvLine([text]),
  quoteShell,
  visible,
  ellipsize: text => ellipsize(text, 80),
  quoteForMessage,
  toSafeJson,
  wrapText: text => wrapText(text, 80),
  toLongText,
  sensorLabel,
  cutLong,
  clipMiddle: text => clipMiddle(text, 40),
  formatTable: text => formatTable([{ title: "a" }], [[text]], { width: 80 }),
};

/** Shorter times say nothing of growth. */
const LEAST_MS = 5;
const MOST_TIMES = 64;

test.each(Object.entries(FUNCTIONS))("%s", (_name, run) => {
  const textOf = (pump: string, length: number) => `${pump.repeat(length / pump.length)}\0`;
  const expectSlowGrowth = (pump: string, length: number) => {
    const [short, long] = [textOf(pump, length / 8), textOf(pump, length)];
    const growth = measureGrowth(run, { short, long, leastMs: LEAST_MS, most: MOST_TIMES });
    expect(growth, JSON.stringify(pump)).toBeLessThan(MOST_TIMES);
  };
  // From some kilobytes on; what grows faster is found out before it meets a megabyte.
  let slowest = { pump: PUMPS[0]!, ms: 0 };
  for (const pump of PUMPS) {
    expectSlowGrowth(pump, 2 ** 14);
    expectSlowGrowth(pump, 2 ** 17);
    const started = workMs();
    run(textOf(pump, 2 ** 17));
    const ms = workMs() - started;
    if (ms > slowest.ms) slowest = { pump, ms };
  }
  expectSlowGrowth(slowest.pump, 2 ** 20);
});
