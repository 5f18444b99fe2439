import { expect, test } from "bun:test";
import { groupEqual, rowFacts } from "../../../lib/sessions/equal-sessions.ts";
import { findSessions } from "../../../lib/sessions/event-search.ts";
import { buildStories } from "../../../lib/sessions/story.ts";
import { type LogEvent, readEvents } from "../../support/event-logs.ts";

test("sessions that did the same are one, whatever their addresses, ports, sensors and lengths", async () => {
  const session = (id: string, at: number, seconds: number, input: string, own: object = {}): LogEvent[] => [
    { eventid: "session.connect", at, session: id, src_port: at, protocol: "ssh", ...own },
    { eventid: "command.input", at: at + 1, session: id, input, ...own },
    { eventid: "log.closed", at: at + 2, session: id, ttylog: id, ...own },
    { eventid: "session.closed", at: at + 3, session: id, duration: seconds, ...own },
  ];
  using set = await readEvents([
    ...session("first", 1, 9, "id"),
    ...session("odd", 100, 1, "ls"),
    ...session("second", 200, 3, "id", { sensor: "b", src_ip: "192.0.2.9" }),
    ...session("third", 300, 12, "id", { sensor: "b" }),
    ...session("telnet", 400, 1, "id", { protocol: "telnet" }),
    ...session("open", 500, 1, "id").slice(0, 3),
  ]);
  const rows = groupEqual(buildStories(await findSessions(set, ["first", "second", "third", "odd", "telnet", "open"])));
  expect(rows.map(({ stories }) => stories.map(({ session: id }) => id))).toEqual([
    ["first", "second", "third"],
    ["odd"],
    ["telnet"],
    ["open"],
  ]);
  expect(rows[0]!.story).toBe(rows[0]!.stories[0]!);
  const { story, stories } = rows[0]!;
  expect(rowFacts(rows[0]!)).toEqual({
    firstUs: story.startUs,
    lastUs: stories[2]!.startUs,
    sensors: ["a", "b"],
    addresses: ["192.0.2.1", "192.0.2.9"],
    durationsSec: [3, 12],
  });
});
