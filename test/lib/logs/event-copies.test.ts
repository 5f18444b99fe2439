/** Logs that hold the same events in other words count once. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const makeEvent = (n: number, more: object = {}) => ({
  eventid: n % 3 === 0 ? "cowrie.login.failed" : "cowrie.command.input",
  timestamp: `2024-01-31T10:00:00.${String(n).padStart(6, "0")}Z`,
  sensor: "hp1",
  session: `s${n % 4}`,
  username: `u${n}`,
  input: n % 2 ? "ls -la; echo 'a, b: c'" : null,
  src_port: n,
  duration: n / 7,
  unknown: { key: [1, "two", n], other: "ü, : ]" },
  ...more,
});
type Events = ReturnType<typeof makeEvent>[];
const makeEvents = (count: number) => Array.from({ length: count }, (_, i) => makeEvent(i));

const toLines = (events: Events) => events.map(event => `${JSON.stringify(event)}\n`).join("");
const toArray = (events: Events) => `${JSON.stringify(events)}\n`;
/** As Python writes it, keys sorted. */
const toSpaced = (events: Events) =>
  events
    .map(event => {
      const pairs = Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1));
      return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(", ")}}\n`;
    })
    .join("");

async function count(files: Record<string, string>, options: Parameters<typeof analyze>[1] = {}) {
  await using dir = await makeTempDir();
  for (const [name, text] of Object.entries(files)) await Bun.write(join(dir.path, name), text);
  const { counts, leftOut, notices, table } = await analyze([dir.path], options);
  return {
    events: counts.events,
    rows: table.kinds.event.count.reduce((sum, n) => sum + n, 0),
    leftOut,
    notices: notices.map(notice => notice.replaceAll(/"[^"]*\//g, '"')),
  };
}

describe("the same events", () => {
  const events = makeEvents(40);
  const once = (copy: string, original: string, how = "the same events as") => ({
    events: 40,
    rows: 40,
    leftOut: 1,
    notices: [`Left out "${copy}": it holds ${how} "${original}", otherwise written`],
  });

  test("as lines and as a JSON array, whichever comes first", async () => {
    expect(await count({ "cowrie.json": toLines(events), "cowrie.json.array": toArray(events) })).toEqual(
      once("cowrie.json.array", "cowrie.json"),
    );
    expect(await count({ "cowrie.json": toArray(events), "cowrie.json.lines": toLines(events) })).toEqual(
      once("cowrie.json.lines", "cowrie.json"),
    );
  });

  test("with other spaces and the keys in another order", async () => {
    const known = events.map(({ unknown: _, ...event }) => event) as Events;
    expect(await count({ "cowrie.json": toLines(known), "cowrie.json.2": toSpaced(known) })).toEqual(
      once("cowrie.json.2", "cowrie.json"),
    );
  });

  test("the first of them, in an earlier copy", async () => {
    expect(await count({ "cowrie.json": toArray(events.slice(0, 13)), "cowrie.json.2": toLines(events) })).toEqual(
      once("cowrie.json", "cowrie.json.2", "the first events of"),
    );
  });

  test("three times over, in three lengths", async () => {
    const files = {
      "cowrie.json.1": toLines(events),
      "cowrie.json.2": toArray(events),
      "cowrie.json.3": toArray(events.slice(0, 5)),
    };
    const { events: counted, leftOut, notices } = await count(files);
    expect([counted, leftOut, notices.every(notice => notice.includes('"cowrie.json.1", otherwise'))]).toEqual([40, 2, true]);
  });

  test("count as often as they are there with keepDuplicates", async () => {
    const files = { "cowrie.json": toLines(events), "cowrie.json.array": toArray(events) };
    expect(await count(files, { keepDuplicates: true })).toEqual({ events: 80, rows: 80, leftOut: 0, notices: [] });
  });
});

describe("other events, though they begin at the same time", () => {
  const events = makeEvents(40);
  const DIFFERENT: { name: string; change: object }[] = [
    { name: "another text", change: { username: "other" } },
    { name: "no text", change: { username: null } },
    { name: "another number", change: { src_port: 1 } },
    { name: "0 and no number", change: { src_port: null } },
    { name: "another number in the last column", change: { duration: 99.5 } },
    { name: "another value of a key without a column", change: { unknown: 1 } },
    { name: "another key without a column", change: { unheard: 1 } },
  ];
  test.each(DIFFERENT)("$name", async ({ change }) => {
    for (const at of [0, 39]) {
      const other = events.map((event, i) => (i === at ? { ...event, ...change } : event)) as Events;
      const { events: counted, leftOut } = await count({ "cowrie.json": toLines(events), "cowrie.json.2": toArray(other) });
      expect({ at, counted, leftOut }).toEqual({ at, counted: 80, leftOut: 0 });
    }
  });
});
