import { describe, expect, test } from "bun:test";
import { SessionMarks } from "../../../lib/campaigns/session-marks.ts";
import { type ChainCountOptions, type ChainCounts, countChains } from "../../../lib/sessions/chain-counts.ts";
import { readSessions } from "../../../lib/logs/log-sessions.ts";
import type { SensorAliases } from "../../../lib/events/sensor-aliases.ts";
import type { LogSet } from "../../../lib/logs/log-set.ts";
import { openTables } from "../../../lib/logs/walk-tables.ts";
import { buildStepGraph } from "../../../lib/view/step-graph.ts";
import { CommandCodes, readSessionCommands } from "../../../lib/sessions/session-commands.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { seededRandom } from "../../support/random.ts";

const DAY = Math.floor(NOON_MS / 86_400_000);
const DAY_S = 86_400;
const typed = (at: number, input: string, rest: object = {}) => ({ eventid: "command.input", at, input, ...rest });

async function count(
  set: LogSet,
  { sensorAliases, ...options }: Partial<ChainCountOptions> & { sensorAliases?: SensorAliases } = {},
): Promise<ChainCounts> {
  const marks = new SessionMarks(sensorAliases, new CommandCodes(text => text));
  for await (const { table } of openTables(set)) marks.take(await readSessions(table));
  return countChains(marks.finish(), { steps: 4, most: 100, ...options });
}

const show = ({ chains, commands, sensors }: ChainCounts) =>
  chains.map(({ commands: codes, isCut, sessions, tally }) => ({
    chain: [...codes.map(code => commands[code]!), ...(isCut ? ["+"] : [])].join(" "),
    sessions,
    cells: Array.from(tally.day, (day, i) => `${day - DAY} ${sensors[tally.sensor[i]!]!} ${tally.count[i]!}`),
  }));

describe("countChains", () => {
  test("counts by the day of the first command and the sensor; repeats in a row once, what is behind the last position not", async () => {
    using set = await readEvents(
      [typed(2, "b"), typed(1, "a"), typed(3, "b"), typed(1, "a", { session: "s2", sensor: "z" })],
      [
        typed(DAY_S / 2 + 9, "c"),
        ...["a", "b", "c", "d", "e"].map((text, i) => typed(DAY_S + i, text, { session: "s3" })),
      ],
      [typed(2 * DAY_S, "a", { session: "s4" })],
    );
    expect(show(await count(set))).toEqual([
      { chain: "a", sessions: 2, cells: ["0 z 1", "2 a 1"] },
      { chain: "a b c", sessions: 1, cells: ["0 a 1"] },
      { chain: "a b c d +", sessions: 1, cells: ["1 a 1"] },
    ]);
  });

  test("chains behind the most are added up, and nothing is lost", async () => {
    using set = await readEvents([
      ...["s1", "s2"].map(session => typed(1, "often", { session })),
      ...["x", "y", "z"].map((text, i) => typed(2, text, { session: `t${i}` })),
    ]);
    const counts = await count(set, { most: 1 });
    expect(show(counts)).toEqual([{ chain: "often", sessions: 2, cells: ["0 a 2"] }]);
    expect([counts.sessions, counts.distinct, [...counts.rest.count]]).toEqual([5, 4, [3]]);
  });

  test("distinct addresses behind each chain", async () => {
    const from = (nth: number, src_ip: string) => typed(nth, nth < 3 ? "a" : "b", { session: `s${nth}`, src_ip });
    using set = await readEvents([from(0, "192.0.2.1"), from(1, "192.0.2.2"), from(2, "192.0.2.1")], [from(3, "192.0.2.1")]);
    expect((await count(set)).chains.map(({ sessions, addresses }) => [sessions, addresses])).toEqual([[3, 2], [1, 1]]);
  });

  test("only sessions of the days and sensors asked for, under their aliases", async () => {
    using set = await readEvents([
      typed(1, "old"),
      typed(DAY_S, "new", { session: "s2" }),
      typed(DAY_S, "elsewhere", { session: "s3", sensor: "b" }),
    ]);
    expect(show(await count(set, { sinceDay: DAY + 1 })).map(({ chain }) => chain)).toEqual(["new", "elsewhere"]);
    expect(show(await count(set, { sensors: ["B"], sensorAliases: { b: "B" } }))).toEqual([
      { chain: "elsewhere", sessions: 1, cells: ["1 B 1"] },
    ]);
  });

  test("of nothing is nothing", async () => {
    using set = await readEvents([{ eventid: "session.connect", at: 1 }]);
    expect(await count(set)).toMatchObject({ sessions: 0, distinct: 0, chains: [], commands: [] });
  });

  test("the same chains as session by session, however the events lie in the files", async () => {
    const random = seededRandom(11);
    const pick = (n: number) => Math.floor(random.next() * n);
    const logs: LogEvent[][] = [[], [], []];
    for (let i = 0; i < 400; i++) {
      const [session, sensor, start] = [`s${i}`, `n${pick(3)}`, pick(2 * DAY_S)];
      const length = 1 + pick(7);
      for (let at = 0; at < length; at++) {
        const time = start + 60 * at;
        logs[Math.min(2, Math.floor((time + DAY_S / 2) / DAY_S))]!.push(
          typed(time, `c${pick(3)}`, { session, sensor }),
        );
      }
    }
    for (const log of logs) log.sort((a, b) => a.at - b.at);
    using set = await readEvents(...logs);
    const { sessions, commands } = await readSessionCommands(set);
    const plain = buildStepGraph(sessions, { steps: 4, top: 9 }).chains.map(
      ({ commands: codes, isCut, sessions: n }) =>
        `${n} ${codes.map(code => commands[code]!).join(" ")}${isCut ? " +" : ""}`,
    );
    const counted = show(await count(set, { most: 10_000 }));
    expect(counted.map(({ chain, sessions: n }) => `${n} ${chain}`).sort()).toEqual(plain.sort());
    expect(counted.reduce((sum, { sessions: n }) => sum + n, 0)).toBe(400);
  });
});
