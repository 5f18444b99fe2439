#!/usr/bin/env bun
/**
 * What tells an attacker: addresses, URLs, hosts, files, keys, as a list to look at, to block by, or to pass on.
 */
import { readSmallText } from "../lib/columns/regular-file.ts";
import { type ExitCode, note, noteCsv, runMain } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { type Collected, collectIndicators } from "../lib/indicators/collect-indicators.ts";
import { DEFAULT_TYPES, type Indicator, INDICATOR_TYPE_NAMES, INDICATOR_TYPES, type IndicatorType } from "../lib/indicators/indicator.ts";
import { BLOCKERS, indicatorsToBlocker, indicatorsToCsv, indicatorsToJson, indicatorsToPlain } from "../lib/indicators/indicator-text.ts";
import { KeepOut, parseExclusions } from "../lib/indicators/keep-out.ts";
import { type MispEvent, toManifest, toMispEvent } from "../lib/indicators/misp.ts";
import { TLP } from "../lib/indicators/stable-id.ts";
import { findSessionCampaigns, type SessionCampaigns } from "../lib/indicators/session-campaigns.ts";
import { indicatorsToStix } from "../lib/indicators/stix.ts";
import {
  DAMAGED_EXIT,
  describeLogs,
  describePace,
  EVENT_OPTIONS,
  exitCodeOf,
  FILE_OPTION,
  listInputs,
  LOG_OPERAND,
  READ_OPTIONS,
  readScope,
  readWithTables,
} from "../lib/logs/log-options.ts";
import { openOrigins, ORIGIN_OPTION } from "../lib/origin/origins.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { PROGRAM } from "../lib/process/version.ts";
import { assertWritable, writeOutputs } from "../lib/process/output-file.ts";
import { formatNumber, plural } from "../lib/text/format.ts";
import { errorReason, quoteForMessage } from "../lib/text/text.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";

const OPTIONS = {
  ...FILE_OPTION,
  format: {
    type: "choice",
    choices: ["plain", "csv", "json", "stix", "misp"],
    default: "plain",
    help:
      "plain: a value a line, # before what is none; csv and json (NDJSON): with how it was seen; stix: a STIX 2.1 bundle; " +
      "misp: a folder that is a MISP feed, see -o.",
  },
  for: {
    type: "choice",
    choices: BLOCKERS,
    help: "Write what this reads, in place of a format: addresses, and hosts that are; for hosts the names.",
  },
  type: {
    type: "string",
    repeatable: true,
    placeholder: "NAMES",
    help: `Types of indicators, several by commas, or all: ${INDICATOR_TYPE_NAMES.map(name => `${name} (${INDICATOR_TYPES[name]})`).join(", ")}.`,
    defaultText: DEFAULT_TYPES.join(","),
  },
  outfile: { type: "path", short: "o", help: "File to write; with --format misp a folder.", defaultText: "stdout" },
  minSensors: { type: "count", min: 1, default: 1, help: "Only what so many sensors have seen." },
  minCount: { type: "count", min: 1, default: 1, help: "Only what was seen so often; addresses by their connections." },
  campaign: {
    type: "string",
    short: "c",
    repeatable: true,
    placeholder: "ID",
    help: "Only what sessions of this campaign show, by its id or the beginning of it, see campaigns.ts; give it again for more.",
  },
  withCampaigns: { type: "boolean", help: "Name the campaigns of each indicator; takes as long as campaigns.ts does." },
  exclude: {
    type: "path",
    repeatable: true,
    help:
      "File of what is never an indicator, one a line: an address, a range as 198.51.100.0/24, a host (with all below it), a URL, " +
      "a hash, a key; # before a comment. Put your own networks there.",
  },
  keepReserved: { type: "boolean", help: "For labs: take private, reserved and documentation addresses, and names like them, as well." },
  defang: { type: "boolean", help: "Write hxxp://203[.]0[.]113[.]7, which nobody clicks on; plain, csv and json." },
  split: { type: "choice", choices: ["day"], help: "With --format misp one event for each day (UTC)." },
  tlp: { type: "choice", choices: TLP, default: "amber", help: "With stix and misp: to whom it may be passed on." },
  org: {
    type: "string",
    placeholder: "NAME",
    default: PROGRAM.split(" ")[0]!,
    help: "With stix and misp: whose events and objects they are.",
  },
  ...ORIGIN_OPTION,
  ...READ_OPTIONS,
  ...EVENT_OPTIONS,
  wait: COMMON_OPTIONS.wait,
} as const;

export const COMMAND = {
  name: "indicators",
  summary: "Addresses, URLs, hosts, hashes and keys of attackers: to look at, to block, to pass on as STIX or MISP.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "On stdout, or with -o into a file, the indicators by type, most frequent first. Never among them: private, reserved and " +
    "documentation addresses, those of the sensors and their neighbours (/24, /48), hosts without a dot, hosts that serve " +
    "everybody, hashes of recordings and of empty files. Ids of STIX and MISP are made of what they name: a second import " +
    "of the same adds nothing. An event table beside each log that had none.",
  exits: { ok: "done, though there may be no indicator", failed: "an input is missing, or an output cannot be written", more: [DAMAGED_EXIT] },
  examples: [
    { does: "Files and keys that were brought to the example honeypots", run: "bun scripts/indicators.ts test/fixtures/fleet --type hash,key --format csv" },
    {
      does: "Addresses that at least two sensors have seen, as nft -f reads them",
      run: "bun scripts/indicators.ts test/fixtures/fleet --type address --min-sensors 2 --keep-reserved --for nftables -o block.nft",
    },
  ],
} as const satisfies Command;

type Values = ReturnType<typeof parseCommand<typeof OPTIONS>>["values"];

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands, given } = parseCommand(COMMAND, argv);
  checkTogether(values, given);
  const inputs = listInputs(values.file, operands);
  const types = readTypes(values.type);
  const scope = await readScope(values);
  const origins = openOrigins(values);
  const keepOut = new KeepOut({ excluded: values.exclude.flatMap(readExclusions), keepsReserved: values.keepReserved });
  const isFolder = values.format === "misp" && values.for === undefined;
  const outputs = values.outfile === undefined ? [] : [isFolder ? join(values.outfile, "manifest.json") : values.outfile];
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  const startMs = performance.now();
  using set = await readWithTables(inputs, values, { scope, outputs });
  const { minSensors, minCount: minHits } = values;
  const campaigns =
    values.withCampaigns || values.campaign.length > 0 ? await findSessionCampaigns(set, scope, values.campaign) : undefined;
  const collected = await collectIndicators(set, { types, scope, keepOut, minSensors, minHits, origins, campaigns });
  if (isFolder) await writeOutputs(toFeed(values, [...types].sort().join(","), collected));
  else await writeOutputs([[values.outfile ?? "-", toText(values, collected.indicators, campaigns)]]);
  if (values.format === "csv" && values.outfile === undefined) noteCsv(COMMAND.name, values.quiet);
  if (!values.quiet) note(`indicators: ${describe(collected)}; ${describeLogs(set)}; ${describePace(startMs, set, origins)}`);
  return exitCodeOf(set);
}

function checkTogether({ format, for: blocker, outfile, defang }: Values, given: ReadonlySet<string>): void {
  if (blocker !== undefined && given.has("format"))
    throw new UsageError("Cannot use --for and --format: expected one of them");
  const isMisp = format === "misp" && blocker === undefined;
  if (isMisp && (outfile === undefined || outfile === "-")) throw new UsageError("Cannot write --format misp to stdout: expected -o FOLDER");
  if (given.has("split") && !isMisp) throw new UsageError("Cannot use --split without --format misp");
  if (defang && (blocker !== undefined || isMisp || format === "stix"))
    throw new UsageError("Cannot use --defang with what programs act on: expected --format plain, csv or json");
}

/** @throws {UsageError} if a name is none. */
function readTypes(texts: readonly string[]): readonly IndicatorType[] {
  const names = texts.flatMap(text => text.split(",")).map(name => name.trim());
  if (names.length === 0) return DEFAULT_TYPES;
  if (names.includes("all")) return INDICATOR_TYPE_NAMES;
  const strangers = names.filter(name => !(INDICATOR_TYPE_NAMES as readonly string[]).includes(name));
  if (strangers.length > 0) {
    throw new UsageError(`Cannot read --type ${quoteForMessage(strangers[0]!)}: expected ${INDICATOR_TYPE_NAMES.join(", ")} or all`);
  }
  return names as IndicatorType[];
}

function readExclusions(path: string): string[] {
  try {
    return parseExclusions(readSmallText(path));
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
}

function toText(values: Values, indicators: readonly Indicator[], campaigns: SessionCampaigns | undefined): Iterable<string> {
  if (values.for !== undefined) return indicatorsToBlocker(indicators, values.for);
  switch (values.format) {
    case "csv":
      return indicatorsToCsv(indicators, values);
    case "json":
      return indicatorsToJson(indicators, values);
    case "stix":
      return indicatorsToStix(indicators, values, campaigns?.campaigns);
    default:
      return indicatorsToPlain(indicators, values);
  }
}

/** The files of a MISP feed. */
function toFeed({ outfile, split, tlp, org, sensor, since, until, campaign }: Values, types: string, collected: Collected): [string, string][] {
  // Where every day has an event of its own, that of a day is the same whatever other days were asked for.
  const days = split === "day" ? [] : [since, until];
  const about = JSON.stringify([types, [...sensor].sort(), ...days.map(day => day ?? null), ...(campaign.length > 0 ? [[...campaign].sort()] : [])]);
  const parts = split === "day" ? [...collected.byDay()] : [{ day: undefined, indicators: collected.indicators }];
  const events = parts
    .filter(({ indicators }) => indicators.length > 0)
    .map(({ day, indicators }) => toMispEvent(indicators, { tlp, org, about }, day));
  const manifest = join(outfile!, "manifest.json");
  return [
    ...events.map(({ uuid, json }): [string, string] => [join(outfile!, `${uuid}.json`), json]),
    [manifest, addToManifest(manifest, events)],
  ];
}

/** Events of earlier runs stay in the feed. */
function addToManifest(path: string, events: readonly MispEvent[]): string {
  try {
    return toManifest(events, existsSync(path) ? readSmallText(path) : "");
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
}

/** `12 indicators (8 address, 4 hash); left out: 3 private or reserved, 2 below --min-sensors or --min-count` */
function describe({ indicators, keptOut, below }: Collected): string {
  const counts = [...Map.groupBy(indicators, ({ type }) => type)].map(([type, own]) => `${formatNumber(own.length)} ${type}`);
  const left = [
    ...keptOut.map(([reason, n]) => `${formatNumber(n)} ${reason}`),
    ...(below > 0 ? [`${formatNumber(below)} below --min-sensors or --min-count`] : []),
  ];
  return (
    plural(indicators.length, "indicator") +
    (counts.length === 0 ? "" : ` (${counts.join(", ")})`) +
    (left.length === 0 ? "" : `; left out: ${left.join(", ")}`)
  );
}

if (import.meta.main) await runMain(COMMAND.name, main);
