/**
 * Every function that takes an attacker's text takes time that grows with its length: the text eight times as long,
 * measured in the same run, takes no more than sixty-four times as long.
 */
import { expect, test } from "bun:test";
import { NORMALIZE } from "../../lib/events/schema.ts";
import { addressMatcher } from "../../lib/text/address.ts";
import { guardFormula, toCsvLine, unguardFormula } from "../../lib/text/csv.ts";
import { matchesGlob } from "../../lib/text/glob.ts";
import { clipMiddle, cutLong, sensorLabel } from "../../lib/text/labels.ts";
import { toLongText } from "../../lib/text/long-text.ts";
import { maskCommand, sshKeysOf, urlHostOf } from "../../lib/text/masks.ts";
import { purposeOf } from "../../lib/text/purpose.ts";
import { quoteShell } from "../../lib/text/shell.ts";
import { formatTable } from "../../lib/text/text-table.ts";
import { ellipsize, quoteForMessage, toSafeJson, visible, wrapText } from "../../lib/text/text.ts";
import { parseTimestampUs } from "../../lib/text/time.ts";
import { PUMPS } from "./attacker.ts";

const FUNCTIONS: Readonly<Record<string, (text: string) => unknown>> = {
  maskCommand,
  sshKeysOf,
  urlHostOf,
  urlHostOfAddress: text => urlHostOf(`http://${text}`),
  purposeOf,
  purposeOfEcho: text => purposeOf(`echo ${text}`),
  ...NORMALIZE,
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

test.each(Object.entries(FUNCTIONS))("%s", (_name, run) => {
  const timeOf = (pump: string, length: number) => {
    const text = `${pump.repeat(length / pump.length)}\0`;
    const started = performance.now();
    run(text);
    return performance.now() - started;
  };
  const growthOf = (pump: string, length: number) =>
    timeOf(pump, length) / Math.max(timeOf(pump, length / 8), timeOf(pump, length / 8), LEAST_MS);
  // From some kilobytes on; what grows faster is found out before it meets a megabyte.
  let slowest = { pump: PUMPS[0]!, ms: 0 };
  for (const pump of PUMPS) {
    expect(growthOf(pump, 2 ** 14), JSON.stringify(pump)).toBeLessThan(64);
    expect(growthOf(pump, 2 ** 17), JSON.stringify(pump)).toBeLessThan(64);
    const ms = timeOf(pump, 2 ** 17);
    if (ms > slowest.ms) slowest = { pump, ms };
  }
  expect(growthOf(slowest.pump, 2 ** 20), JSON.stringify(slowest.pump)).toBeLessThan(64);
});
