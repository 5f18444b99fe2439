#!/usr/bin/env bun
/**
 * Who belongs together: sessions joined into campaigns by what they leave.
 *
 * From event tables; memory grows with the sessions that left something, and with distinct commands.
 */
import {
  campaignsToCsv,
  campaignsToJson,
  compareEarlier,
  type Fates,
  readEarlier,
} from "../lib/campaigns/campaign-records.ts";
import { campaignsToText, campaignToText, whyToText } from "../lib/campaigns/campaign-text.ts";
import type { Campaign } from "../lib/campaigns/campaign.ts";
import { campaignById, type Campaigns, findCampaigns } from "../lib/campaigns/find-campaigns.ts";
import { MARK_KINDS } from "../lib/campaigns/marks.ts";
import { NEAR_MIN } from "../lib/campaigns/near-chains.ts";
import { sessionsOfId, whyTogether } from "../lib/campaigns/why-together.ts";
import {
  DAMAGED_EXIT,
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
import { openOrigins, ORIGIN_OPTION, type Origins } from "../lib/origin/origins.ts";
import { EXIT, type ExitCode, note, noteCsv, runMain, terminal, writeOut } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, DAY_FORMS, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { formatNumber, plural } from "../lib/text/format.ts";
import { quoteForMessage, toSafeJson, visible } from "../lib/text/text.ts";

const LIMIT_ON_TERMINAL = 20;

const OPTIONS = {
  ...FILE_OPTION,
  campaign: {
    type: "string",
    short: "c",
    repeatable: true,
    placeholder: "ID",
    help: "Show all of this campaign: its id, the beginning of it, or one that it had before it was joined to another.",
  },
  why: {
    type: "string",
    placeholder: "SESSION,SESSION",
    help: "Say why two sessions are together, or are not.",
  },
  before: {
    type: "path",
    help: "What --json wrote earlier: stderr tells which campaigns are new since, and which are now part of another.",
  },
  minSessions: { type: "count", min: 1, default: 2, placeholder: "N", help: "Campaigns of fewer sessions are not shown." },
  lastNDays: { type: "count", short: "l", min: 1, default: 7, help: "Last days held against as many before." },
  limit: {
    type: "count",
    short: "n",
    help: "Campaigns shown, those of most sessions first; 0 = all.",
    defaultText: `${LIMIT_ON_TERMINAL} on a terminal, all elsewhere`,
  },
  ...ORIGIN_OPTION,
  ...EVENT_OPTIONS,
  since: { ...COMMON_OPTIONS.since, help: `Count sessions that began on this day (UTC) or later: ${DAY_FORMS}.` },
  until: { ...COMMON_OPTIONS.until, help: `Count sessions that began on this day (UTC) or earlier: ${DAY_FORMS}.` },
  ...READ_OPTIONS,
  csv: COMMON_OPTIONS.csv,
  json: { type: "boolean", help: "Write one JSON object to stdout." },
} as const;

export const COMMAND = {
  name: "campaigns",
  summary: "Which sessions belong together: the same files, hosts, keys or commands, as campaigns.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "On stdout a table, with --campaign all of one, with --json or --csv whole values. What joins two sessions, and how " +
    `sure it makes: ${MARK_KINDS.map(({ name, weight, why }) => `${name} ${weight.toFixed(1)} (${why})`).join("; ")}; and ` +
    `chains that have ${NEAR_MIN * 100} % and more of their words in common, by threes. What a twentieth of the sessions ` +
    "and of the kinds of chains share joins nobody, nor do a few everyday commands. All sessions of the logs are joined, " +
    "whatever --since, --until and --sensor count: an id, made from the strongest mark of a campaign's first session, " +
    "stays when days are added.",
  exits: { failed: "no campaign, or not the one or the sessions asked for, or an input that is missing", more: [DAMAGED_EXIT] },
  examples: [
    { does: "The campaigns of the example logs", run: "bun scripts/campaigns.ts test/fixtures/fleet" },
    { does: "All of one", run: "bun scripts/campaigns.ts test/fixtures/fleet --campaign 2cf0a061" },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.file, operands);
  const why = values.why === undefined ? undefined : readPair(values.why);
  const earlier = values.before === undefined ? undefined : readEarlier(values.before);
  const origins = openOrigins(values);
  const startMs = performance.now();
  const scope = await readScope(values);
  using set = await readWithTables(inputs, values, { scope, outputs: [] });
  const { minSessions, lastNDays: lastDays } = values;
  const found = await findCampaigns(set, { ...scope, minSessions, lastDays });
  if (why !== undefined) return (await tellWhy(found, why)) ? exitCodeOf(set) : EXIT.failed;
  const { campaigns, isMissing } = choose(found, values.campaign);
  if (campaigns.length === 0) {
    if (values.campaign.length === 0) note(`campaigns: no campaign of ${plural(minSessions, "session")} or more: ${describeRest(found)}`);
    return EXIT.failed;
  }
  const fates = earlier && compareEarlier(found, earlier);
  const limit = values.limit ?? (terminal("stdout").isTerminal ? LIMIT_ON_TERMINAL : 0);
  const shown = limit === 0 ? campaigns : campaigns.slice(0, limit);
  if (values.json) await writeOut(`${toSafeJson(campaignsToJson(found, shown, fates, origins))}\n`);
  else if (values.csv) await writeOut(campaignsToCsv(shown, origins));
  else await writeOut(toText(found, shown, values.campaign.length > 0, origins));
  if (values.csv) noteCsv(COMMAND.name, values.quiet);
  if (fates !== undefined) tellFates(found, fates);
  if (!values.quiet) {
    const some = shown.length < campaigns.length ? `${formatNumber(shown.length)} of ` : "";
    note(`campaigns: ${some}${plural(campaigns.length, "campaign")}; ${describeRest(found)}; ${describePace(startMs, set, origins)}`);
  }
  return isMissing ? EXIT.failed : exitCodeOf(set);
}

function readPair(text: string): [string, string] {
  const [a, b, ...more] = text.split(",").map(id => id.trim());
  if (!a || !b || more.length > 0) throw new UsageError(`Cannot read --why ${quoteForMessage(text)}: expected two session ids, SESSION,SESSION`);
  return [a, b];
}

/** The campaigns asked for, all if none is. */
function choose(found: Campaigns, ids: readonly string[]): { campaigns: Campaign[]; isMissing: boolean } {
  if (ids.length === 0) return { campaigns: [...found.campaigns], isMissing: false };
  const chosen = new Set<Campaign>();
  let isMissing = false;
  for (const id of ids) {
    const campaign = campaignById(found, id);
    if (campaign !== undefined) {
      chosen.add(campaign);
      if (!campaign.id.startsWith(id.trim().toLowerCase())) note(`campaigns: ${visible(id)} is now part of ${campaign.id}`);
      continue;
    }
    isMissing = true;
    note(`campaigns: Cannot find campaign ${quoteForMessage(id)}: expected an id of the table, four digits of it at least`);
  }
  return { campaigns: [...chosen], isMissing };
}

function toText(found: Campaigns, shown: readonly Campaign[], isWhole: boolean, origins: Origins | undefined): string {
  const { columns: width, color } = terminal("stdout");
  if (!isWhole) return campaignsToText({ ...found, campaigns: shown }, 0, { width, color, origins });
  return shown.map(campaign => campaignToText(campaign, found, { width, color, origins })).join("\n");
}

/** @returns Whether both sessions were found. */
async function tellWhy({ joined }: Campaigns, ids: readonly [string, string]): Promise<boolean> {
  const sessions = ids.map(id => sessionsOfId(joined, id)[0]);
  sessions.forEach((session, i) => {
    if (session === undefined) note(`campaigns: Cannot find session ${quoteForMessage(ids[i]!)}: expected one that typed something, moved a file or offered a key`);
  });
  const [a, b] = sessions;
  if (a === undefined || b === undefined) return false;
  const { columns: width, color } = terminal("stdout");
  await writeOut(whyToText(whyTogether(joined, a, b), { width, color }));
  return true;
}

function tellFates({ campaigns }: Campaigns, { merged, gone, fresh }: Fates): void {
  const nameOf = new Map(campaigns.map(({ id, name }) => [id, name]));
  for (const { id, name, into } of merged) note(`campaigns: ${id} (${quoteForMessage(name)}) is now part of ${into} (${quoteForMessage(nameOf.get(into)!)})`);
  note(`campaigns: ${plural(fresh.length, "campaign")} new since, ${formatNumber(merged.length)} merged, ${formatNumber(gone.length)} not in these logs`);
}

function describeRest({ sessions, marked, alone, unmarked, notCompared }: Campaigns): string {
  const cut = notCompared > 0 ? `, ${plural(notCompared, "chain")} held against equal ones only` : "";
  return (
    `${formatNumber(marked)} of ${plural(sessions, "session")} left something, ${formatNumber(alone)} of them alone, ` +
    `${formatNumber(unmarked)} with nothing that tells${cut}`
  );
}

if (import.meta.main) await runMain(COMMAND.name, main);
