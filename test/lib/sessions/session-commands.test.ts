import { describe, expect, test } from "bun:test";
import { maskCommand } from "../../../lib/text/masks.ts";
import { readSessionCommands, type SessionCommands } from "../../../lib/sessions/session-commands.ts";
import type { EventScope } from "../../../lib/events/scope.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { seededRandom } from "../../support/random.ts";

const DAY = Math.floor(NOON_MS / 86_400_000);
const typed = (at: number, input: string, rest: object = {}) => ({ eventid: "command.input", at, input, ...rest });
const texts = ({ commands, sessions }: SessionCommands) => sessions.map(codes => codes.map(code => commands[code]!));

describe("readSessionCommands", () => {
  test("orders by time, then as they came, over files; keeps sensors apart", async () => {
    using set = await readEvents(
      [typed(2, "second"), typed(1, "first"), typed(1, "on b", { sensor: "b" }), typed(2, "also second")],
      [typed(90_000, "third"), { eventid: "session.closed", at: 90_001 }],
    );
    const found = await readSessionCommands(set);
    expect(texts(found)).toEqual([["first", "second", "also second", "third"], ["on b"]]);
    expect(found.sensors).toEqual(["a", "b"]);
  });

  test("takes lines only: not what was fed to a program, nor what became of a line", async () => {
    using set = await readEvents([
      typed(1, "passwd"),
      typed(2, "secret", { realm: "passwd" }),
      { eventid: "command.failed", at: 3, input: "passwd" },
      { eventid: "session.input", at: 3, input: "x", realm: "cat" },
    ]);
    expect(texts(await readSessionCommands(set))).toEqual([["passwd"]]);
  });

  test("masks make commands one, and the spellings are counted", async () => {
    using set = await readEvents([
      typed(1, 'echo "root:abc"|chpasswd'),
      typed(2, 'echo "root:xyz"|chpasswd'),
      typed(3, 'echo "root:xyz"|chpasswd'),
    ]);
    const found = await readSessionCommands(set, {}, maskCommand);
    expect(found.commands).toEqual(['echo "root:<password>"|chpasswd']);
    expect(found.spellings).toEqual([{ example: 'echo "root:abc"|chpasswd', spellings: 2 }]);
    expect(found.sessions).toEqual([[0, 0, 0]]);
    expect((await readSessionCommands(set)).commands).toHaveLength(2);
  });

  test("keeps sessions of the days of their first command, and of the sensors", async () => {
    using set = await readEvents([
      typed(1, "x"),
      typed(90_000, "y"),
      typed(90_000, "z", { session: "s2", sensor: "b" }),
    ]);
    const read = (scope: EventScope) => readSessionCommands(set, scope).then(texts);
    expect(await read({ untilDay: DAY })).toEqual([["x", "y"]]);
    expect(await read({ sinceDay: DAY + 1 })).toEqual([["z"]]);
    expect(await read({ sensors: ["c"], sensorAliases: { b: "c" } })).toEqual([["z"]]);
  });

  test("finds what one would find line by line", async () => {
    const random = seededRandom("sessions");
    const events: LogEvent[] = Array.from({ length: 600 }, () => ({
      eventid: random.int(3) === 0 ? "login.failed" : "command.input",
      at: random.int(50),
      session: `s${random.int(9)}`,
      sensor: "ab"[random.int(2)]!,
      input: `c${random.int(5)}`,
      ...(random.int(9) === 0 ? { realm: "cat" } : {}),
    }));
    using set = await readEvents(events);
    const plain = new Map<string, LogEvent[]>();
    for (const event of events) {
      if (event.eventid !== "command.input" || event.realm !== undefined) continue;
      const key = `${event.sensor} ${event.session}`;
      plain.set(key, [...(plain.get(key) ?? []), event]);
    }
    const expected = [...plain.values()].map(own => own.sort((a, b) => a.at - b.at).map(({ input }) => String(input)));
    expect(texts(await readSessionCommands(set))).toEqual(expected);
  });
});
