/**
 * What does joining a million sessions into campaigns cost?
 *
 * Run: bun test/bench/campaigns.bench.ts [sessions] [days]
 *
 * Half of the sessions do no more than try a password, as in most archives; of the others a third is a bot whose commands
 * are drawn at random, a chain of its own for each session. Sessions of the planted families are made and mapped day by day (not timed); timed is reading the tables' events into
 * sessions, and joining and adding up. How well the families are told apart is said beside the figures.
 */
import { toCampaigns } from "../../lib/campaigns/find-campaigns.ts";
import { SessionMarks } from "../../lib/campaigns/session-marks.ts";
import { chunkedText } from "../../lib/events/log-text.ts";
import { mapLog } from "../../lib/events/map-log.ts";
import { readSessions } from "../../lib/logs/log-sessions.ts";
import { formatNumber } from "../../lib/text/format.ts";
import { judgePairs, plantCampaigns, type PlantedSession } from "../support/campaign-families.ts";
import { type LogEvent, toLine } from "../support/event-logs.ts";

const [sessions = 1_000_000, days = 20] = Bun.argv.slice(2).map(Number);

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const marks = new SessionMarks();
const planted: PlantedSession[] = [];
let [readSeconds, events] = [0, 0];
for (let day = 0; day < days; day++) {
  const half = Math.round(sessions / days / 2);
  const { logs, sessions: own } = plantCampaigns(`day ${day}`, half, 1);
  planted.push(...own);
  const lines = [...logs[0]!, ...idleSessions(day, half)];
  const text = Buffer.from(lines.map(event => `${toLine({ ...event, at: event.at + day * 86_400 })}\n`).join(""));
  const { table } = await mapLog("day", chunkedText("none", (async function* () { yield text; })()));
  const started = cpuSeconds();
  marks.take(await readSessions(table));
  readSeconds += cpuSeconds() - started;
  events += table.rows;
  table.close();
  Bun.gc(true);
}
/** Sessions that try a password and go. */
function idleSessions(day: number, n: number): LogEvent[] {
  return Array.from({ length: n }, (_, i) => {
    const common = { session: `${day}f${i.toString(16).padStart(9, "0")}`, src_ip: `203.0.113.${i % 250}`, protocol: "ssh" };
    const [version, hassh] = ["SSH-2.0-Go", "0a07365cc01fa9fc82608ba4019af499"];
    return [
      { eventid: "session.connect", at: i / 99, dst_port: 2222, ...common },
      { eventid: "client.version", at: i / 99, version, ...common },
      { eventid: "client.kex", at: i / 99, hassh, ...common },
      { eventid: "login.failed", at: i / 99, username: "root", password: String(i % 500), ...common },
      { eventid: "session.closed", at: i / 99 + 5, duration: 5, ...common },
    ];
  }).flat();
}

const beforeBytes = process.memoryUsage.rss();
const started = cpuSeconds();
const found = toCampaigns(marks.finish());
const joinSeconds = cpuSeconds() - started;
const groups = new Map<string, number>();
found.joined.campaign.forEach((campaign, i) => campaign >= 0 && groups.set(found.joined.sessions.idOf(i), campaign));
const { precision, recall } = judgePairs(planted, id => groups.get(id));
console.log(`${formatNumber(sessions)} sessions, ${formatNumber(events)} events, ${formatNumber(found.joined.chains.length)} chains, ${formatNumber(found.joined.sessions.marks.length)} marks`);
console.log(`read ${readSeconds.toFixed(2)} s, joined and added up ${joinSeconds.toFixed(2)} s of the processor (all threads); ${formatNumber(beforeBytes / 1e6)} to ${formatNumber(process.memoryUsage.rss() / 1e6)} MB`);
console.log(`${formatNumber(found.campaigns.length)} campaigns; pairwise precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}; ${formatNumber(found.notCompared)} chains not compared`);
