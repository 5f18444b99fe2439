#!/usr/bin/env bun
/**
 * What cron mails on Monday: some days against as many before, in 60 lines at most, with what to look at first.
 */
import { EXIT, type ExitCode, note, runMain, writeOut } from "../lib/process/cli.ts";
import { type Command, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
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
  REDUCTION_OPTIONS,
  toSetOptions,
  withProgress,
} from "../lib/logs/log-options.ts";
import { analyzeLogs } from "../lib/logs/analyze.ts";
import { findCampaigns } from "../lib/campaigns/find-campaigns.ts";
import type { Digest } from "../lib/digest/digest.ts";
import { digestSections, digestSubject, digestToHtml, digestToText } from "../lib/digest/digest-words.ts";
import { firstLooks, type FirstLook } from "../lib/digest/first-looks.ts";
import { isMailAddress, toMessage } from "../lib/digest/mail.ts";
import { campaignToJson } from "../lib/campaigns/campaign-records.ts";
import { peaksBesideTable } from "../lib/history/peaks.ts";
import { findLeadersIn } from "../lib/sessions/peak-counts.ts";
import { episodeToPlain } from "../lib/history/history-output.ts";
import { originCountsToJson } from "../lib/origin/origin-counts.ts";
import { openOrigins, ORIGIN_OPTION, type Origins } from "../lib/origin/origins.ts";
import { drawTable } from "../lib/reduced/drawn-table.ts";
import { isEmpty, type ReducedTable } from "../lib/reduced/reduced-table.ts";
import { toPlainStatistics } from "../lib/statistics/statistics-output.ts";
import { toIsoDay } from "../lib/text/format.ts";
import { dayOf } from "../lib/text/time.ts";
import { quoteForMessage, toSafeJson, visible } from "../lib/text/text.ts";
import { countSearched } from "../lib/sessions/event-search.ts";
import { notFoundText } from "../lib/sessions/trace-text.ts";

const DAYS_DEFAULT = 7;

const OPTIONS = {
  ...FILE_OPTION,
  ...EVENT_OPTIONS,
  since: { ...EVENT_OPTIONS.since, help: "First day (UTC) of the digest: YYYY-MM-DD, today, yesterday, or -7d; earlier days are read for comparison.", defaultText: `${DAYS_DEFAULT} days with the last` },
  until: { ...EVENT_OPTIONS.until, help: "Last day (UTC) of the digest.", defaultText: "the last with an event" },
  html: { type: "boolean", help: "Write a page for mail programs in place of the text; with --to send both." },
  json: { type: "boolean", help: "Write one JSON object to stdout." },
  to: { type: "string", placeholder: "ADDRESS", help: "Send it there by this machine's sendmail, in place of stdout; printed where there is none." },
  ...ORIGIN_OPTION,
  exitCode: { type: "boolean", help: "Exit with 10 if a change is reported, with 11 if a sensor is silent." },
  ...READ_OPTIONS,
  robotMaxSeconds: REDUCTION_OPTIONS.robotMaxSeconds,
} as const;

export const COMMAND = {
  name: "digest",
  summary: "Some days of the logs against as many before, in 60 lines: what changed, what is new, who is silent, what to look at first.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "Text on stdout, 60 lines at most, with --html a page, with --json one object. Changes are tested against the days " +
    "before (see statistics.ts), episodes come from the whole archive (history.ts), campaigns from all sessions (campaigns.ts).",
  exits: { failed: "an input is missing, nothing holds an event, or sendmail refuses", more: [DAMAGED_EXIT, "with --exit-code 10 a change is reported", "11 a sensor is silent"] },
  examples: [
    { does: "The last seven days of the example logs", run: "bun scripts/digest.ts test/fixtures/fleet" },
    { does: "A week in July, as a page", run: "bun scripts/digest.ts test/fixtures/fleet --since 2026-07-27 --until 2026-08-02 --html > digest.html" },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.file, operands);
  if (values.html && values.json) throw new UsageError("Cannot write both --html and --json: expected one of them");
  if (values.json && values.to !== undefined) throw new UsageError("Cannot send --json by mail: expected --to without it");
  if (values.to !== undefined && !isMailAddress(values.to)) throw new UsageError(`Cannot send to ${quoteForMessage(values.to)}: expected an address such as ops@example.org`);
  const { sinceDay, ...scope } = await readScope(values);
  const origins = openOrigins(values);
  const startMs = performance.now();
  using analysis = await withProgress(values.quiet, listeners =>
    analyzeLogs(inputs, {
      ...toSetOptions(values),
      ...listeners,
      keepsTables: true,
      parameters: { ...scope, robotMaxSeconds: values.robotMaxSeconds },
      dedupeLines: false,
      wantsRejects: false,
      outputs: [],
    }),
  );
  const { set } = analysis;
  if (isEmpty(analysis.table)) throw new Error(`${notFoundText("an event of the days and sensors asked for", countSearched(set))}; see --until and --sensor`);
  const { table } = drawTable(analysis.table);
  const lastDay = values.until ?? lastDayOf(table);
  const firstDay = sinceDay ?? lastDay - DAYS_DEFAULT + 1;
  const found = await findCampaigns(set, { ...scope, untilDay: lastDay, lastDays: lastDay - firstDay + 1 });
  const leaders = await findLeadersIn(set, peaksBesideTable(table), scope);
  const { buildDigest } = await import("../lib/digest/digest.ts");
  const digest = buildDigest(table, { firstDay, lastDay, campaigns: found.campaigns, leaders, origins });
  const looks = firstLooks(digest, inputs);
  if (values.json) await writeOut(`${toSafeJson(toPlain(digest, looks, origins))}\n`);
  else await deliver(digest, looks, values);
  if (!values.quiet) note(`digest: ${describeLogs(set)}; ${describePace(startMs, set, origins)}`);
  if (values.exitCode && digest.sensorsSilent.length + digest.sensorsAbsent.length > 0) return EXIT.silent;
  return values.exitCode && digest.changes.length > 0 ? EXIT.changed : exitCodeOf(set);
}

function lastDayOf({ kinds: { event } }: ReducedTable): number {
  return dayOf(event.lastSeenUs.reduce((most, us) => Math.max(most, us), -Infinity));
}

/** To whoever shall have it. */
async function deliver(digest: Digest, looks: readonly FirstLook[], { to, html, quiet }: { readonly to: string | undefined; readonly html: boolean; readonly quiet: boolean }): Promise<void> {
  const text = digestToText(digest, looks);
  const sendmail = to === undefined ? undefined : findSendmail();
  if (to !== undefined && sendmail === undefined) note("digest: there is no sendmail on this machine: printed instead");
  if (to === undefined || sendmail === undefined) return writeOut(html ? digestToHtml(digest, looks) : text);
  const message = toMessage({ to, subject: digestSubject(digest), text, html: html ? digestToHtml(digest, looks) : undefined });
  // -t: to whom stands in the message; -oi: a line of a dot does not end it.
  const child = Bun.spawn([sendmail, "-t", "-oi"], { stdin: new TextEncoder().encode(message), stdout: "ignore", stderr: "pipe" });
  const [said, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exitCode !== 0) throw new Error(`Cannot send the mail: sendmail ended with ${exitCode}${said.trim() === "" ? "" : `: ${visible(said.trim().split("\n")[0]!)}`}`);
  if (!quiet) note(`digest: sent to ${visible(to)}`);
}

/** As every mail program finds it: on PATH, or where it has always been. */
function findSendmail(): string | undefined {
  return Bun.which("sendmail") ?? Bun.which("sendmail", { PATH: "/usr/sbin:/usr/lib" }) ?? undefined;
}

/** For a program: snake_case keys, days as YYYY-MM-DD, whole values. */
function toPlain(digest: Digest, looks: readonly FirstLook[], origins: Origins | undefined): Record<string, unknown> {
  const { firstDay, lastDay, episodes, campaignsNew, campaignsReturning, figures, origins: counts, originSources, ...rest } = digest;
  return {
    first_day: toIsoDay(firstDay),
    last_day: toIsoDay(lastDay),
    ...(toPlainStatistics(rest) as object),
    figures: Object.fromEntries(figures.map(({ name, now, before }) => [name.replaceAll(" ", "_"), { now, before }])),
    episodes: episodes.map(episodeToPlain),
    campaigns_new: campaignsNew.map(one => campaignToJson(one, origins)),
    campaigns_returning: campaignsReturning.map(one => campaignToJson(one, origins)),
    ...(counts && { origins: { ...originCountsToJson(counts), databases: originSources } }),
    look_first: looks,
    sections: digestSections(digest, looks),
  };
}

if (import.meta.main) await runMain(COMMAND.name, main);
