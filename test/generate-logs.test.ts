import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bytesRepr,
  dateText,
  dayNumber,
  ERAS,
  type EraName,
  escapeBytes,
  floatText,
  quote,
  timestampText,
} from "./support/cowrie-eras.ts";
import { credentialOf } from "./support/cowrie-world.ts";
import {
  buildFixtures,
  ERA_FILES,
  FIXTURES_FOLDER,
  FLEET_FACTS,
  HOSTILE_STRINGS,
  unpackFile,
} from "./support/example-fleet.ts";
import { type Campaign, generateLogs, type GenerateOptions, planSensors, writeLogs } from "./support/generate-logs.ts";
import { seededRandom } from "./support/random.ts";
import { readLogFolder } from "./support/real-logs.ts";
import { countSlowly } from "./support/slow-counter.ts";

type Event = Record<string, unknown> & { eventid: string; timestamp: string; session: string };

const ERA_NAMES = Object.keys(ERAS) as EraName[];

function generate(options: GenerateOptions) {
  const files = new Map<string, string>();
  const stats = generateLogs(options, (path, text) => files.set(path, (files.get(path) ?? "") + text));
  return { files, stats, text: [...files.values()].join("") };
}

const parseAll = (text: string) => text.trimEnd().split("\n").map(line => JSON.parse(line) as Event);

describe("random numbers", () => {
  test("equal seeds give equal streams, other seeds other ones, and the first words never change", () => {
    const draw = (seed: number | string) => Array.from({ length: 4 }, (_, i, r = seededRandom(seed)) => r.word() + i);
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));
    const random = seededRandom(1);
    expect([random.word(), random.word()]).toEqual([2958390140, 798431460]);
  });

  test("uniform, normal and heavy-tailed draws look like what they are called", () => {
    const random = seededRandom("shapes");
    const n = 20_000;
    const mean = (draw: () => number) => Array.from({ length: n }, draw).reduce((a, b) => a + b) / n;
    expect(mean(() => random.next())).toBeCloseTo(0.5, 1);
    expect(mean(() => random.normal())).toBeCloseTo(0, 1);
    expect(mean(() => random.normal() ** 2)).toBeCloseTo(1, 1);
    // P(rank >= k) = (1 + k / head) ** (1 - exponent)
    expect(mean(() => Number(random.zipf(2, 1e9) >= 9))).toBeCloseTo(0.1, 1);
    expect(mean(() => Number(random.zipf(1.5, 1e9, 4) >= 12))).toBeCloseTo(0.5, 1);
  });
});

describe("texts as Cowrie writes them", () => {
  test("JSON text is ASCII, lower-case escapes, lone surrogates kept", () => {
    expect(quote('a"\\/é\u007f\u0000\ud800😀')).toBe('"a\\"\\\\/\\u00e9\\u007f\\u0000\\ud800\\ud83d\\ude00"');
    for (const text of HOSTILE_STRINGS) expect(JSON.parse(quote(text))).toBe(text);
  });

  test("bytes as escapes and as a repr", () => {
    expect(escapeBytes("p\\ä\n")).toBe("p\\\\\\xc3\\xa4\\x0a");
    expect(bytesRepr("GET /\r\n'")).toBe("b'GET /\\r\\n\\''");
    expect(floatText(2)).toBe("2.0");
  });

  test("timestamps: UTC, with an offset, without a fraction", () => {
    const us = Date.parse("2026-07-31T22:30:00Z") * 1000;
    expect(timestampText(us + 7)).toBe("2026-07-31T22:30:00.000007Z");
    expect(timestampText(us, 120)).toBe("2026-08-01T00:30:00.000000+0200");
    expect(timestampText(us, -210)).toBe("2026-07-31T19:00:00.000000-0330");
    expect(timestampText(us, undefined, true)).toBe("2026-07-31T22:30:00Z");
    expect(dateText(dayNumber("2024-02-29"))).toBe("2024-02-29");
    expect(() => dayNumber("yesterday")).toThrow(RangeError);
  });
});

describe("generated logs", () => {
  const options: GenerateOptions = {
    seed: 7,
    firstDay: "2026-03-27",
    days: 4,
    sensors: planSensors(8, ERA_NAMES),
    eventsPerDay: 300,
  };
  const { files, stats, text } = generate(options);

  test("the same options give the same bytes, another seed gives others", () => {
    expect(generate(options).text).toBe(text);
    expect(generate({ ...options, seed: 8 }).text).not.toBe(text);
  });

  test("stats say what was written", () => {
    expect(stats.files).toBe(files.size);
    expect(stats.bytes).toBe(text.length);
    expect(stats.events).toBe(parseAll(text).length);
  });

  test("one file per sensor and day, the last one live", () => {
    expect(files.size).toBe(8 * 4);
    expect([...files.keys()].slice(0, 4).map(path => path.split("/")[1]!)).toEqual([
      "cowrie.json.2026-03-27",
      "cowrie.json.2026-03-28",
      "cowrie.json.2026-03-29",
      "cowrie.json",
    ]);
  });

  test("every line is ASCII, an event of its sensor and of its file's day, in order of time", () => {
    for (const [path, content] of files) {
      expect(content).toMatch(/^[ -~\n]+$/);
      const [sensor, name] = path.split("/") as [string, string];
      const date = name === "cowrie.json" ? "2026-03-30" : name.slice(-10);
      const events = parseAll(content);
      expect(events.every(event => event.sensor === sensor && event.timestamp.startsWith(date))).toBe(true);
      expect(events.every((event, i) => i === 0 || events[i - 1]!.timestamp <= event.timestamp)).toBe(true);
    }
  });

  test("sessions begin with a connect, end with a closed, and cross midnight", () => {
    const sessions = Map.groupBy(parseAll(text), event => `${event.sensor} ${event.session}`);
    const today = [...sessions.values()].filter(([event]) => event!.eventid.startsWith("cowrie"));
    expect(today.every(events => events[0]!.eventid === "cowrie.session.connect")).toBe(true);
    const closed = today.filter(events => events.some(event => event.eventid === "cowrie.session.closed"));
    expect(closed.length).toBeGreaterThan(today.length * 0.99);
    const over = generate({ ...options, eventsPerDay: 6000, sensors: planSensors(1) });
    const days = Map.groupBy(parseAll(over.text), event => event.session).values();
    expect(days.some(events => events[0]!.timestamp.slice(0, 10) < events.at(-1)!.timestamp.slice(0, 10))).toBe(true);
  });

  test("lines are as long as real ones, and the wanted size is met", () => {
    for (const megabytes of [2, 8]) {
      const sized = generate({
        seed: megabytes,
        firstDay: "2026-03-27",
        days: 5,
        sensors: planSensors(4),
        totalBytes: megabytes * 1e6,
      });
      expect(sized.files.size).toBe(20);
      expect(sized.stats.bytes / (megabytes * 1e6)).toBeWithin(0.95, 1.05);
      expect(sized.stats.bytes / sized.stats.events).toBeWithin(300, 500);
    }
  });

  test("the mean of events per sensor and day is about what was asked for", () => {
    expect(stats.events / (8 * 4 * 300)).toBeWithin(0.8, 1.2);
  });

  test("credentials have a head and a long tail", () => {
    const big = generate({ ...options, eventsPerDay: 5000, sensors: planSensors(2) });
    const logins = parseAll(big.text).filter(event => event.eventid.startsWith("cowrie.login") && "password" in event);
    const counts = Map.groupBy(logins, event => `${event.username}/${event.password}`);
    const top = Math.max(...[...counts.values()].map(list => list.length));
    expect(top / logins.length).toBeWithin(0.02, 0.2);
    expect(counts.size / logins.length).toBeWithin(0.15, 0.6);
    expect(credentialOf(123_456)).toEqual(credentialOf(123_456));
  });

  test("a size is needed, and only one", () => {
    const { eventsPerDay: _, ...none } = options;
    expect(() => generate(none)).toThrow(RangeError);
    expect(() => generate({ ...options, totalBytes: 1e6 })).toThrow("either");
  });

  test("the command writes what the library gives, and says how much", async () => {
    const folder = mkdtempSync(join(tmpdir(), "generate-"));
    try {
      const script = join(import.meta.dir, "support", "generate-logs.ts");
      const child = Bun.spawn(
        [process.execPath, script, "--out", join(folder, "a"), "--seed", "x", "--sensors", "2", "--files", "4"],
        { stdout: "pipe", stderr: "pipe", cwd: folder },
      );
      const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      expect({ out, code }).toEqual({ out: "", code: 0 });
      expect(err).toMatch(/^4 files, \d+ events in \d+ sessions, \d+\.\d MB, \d+\.\d s\n$/);
      writeLogs(join(folder, "b"), {
        seed: "x",
        firstDay: "2026-06-01",
        days: 2,
        sensors: planSensors(2),
        eventsPerDay: 1000,
      });
      const read = (name: string) => readLogFolder(join(folder, name)).map(file => [file.path, file.bytes.toString()]);
      expect(read("a")).toEqual(read("b"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("eras", () => {
  const eventsOf = new Map(
    ERA_FILES.map(({ path, era }) => [era, parseAll(readFileSync(join(FIXTURES_FOLDER, "eras", path), "latin1"))]),
  );
  const first = (era: EraName, eventid: string) => eventsOf.get(era)!.find(event => event.eventid === eventid)!;

  const COMMON = (
    "client.fingerprint client.size client.var client.version command.failed command.input direct-tcpip.data " +
    "direct-tcpip.request log.closed login.failed login.success session.closed session.connect " +
    "session.file_download session.file_download.failed session.file_upload"
  ).split(" ");
  const SINCE_PY3 = [...COMMON, "client.kex", "session.params", "virustotal.scanfile"];
  test.each<[EraName, string[]]>([
    ["v1.2", [...COMMON, "command.success", "log.open"]],
    ["v1.3", [...COMMON, "command.success", "log.open"]],
    ["v2.2", SINCE_PY3],
    ["v2.5", SINCE_PY3],
    ["v2.8", SINCE_PY3],
    ["v3", [...SINCE_PY3, "telnet.option"]],
  ])("%s shows every event it can write", (era, names) => {
    const seen = new Set(eventsOf.get(era)!.map(event => event.eventid));
    expect([...seen].sort()).toEqual(names.map(name => `cowrie.${name}`).sort());
  });

  test("numbered ids of 2015", () => {
    const numbers = (era: EraName) => [...new Set(eventsOf.get(era)!.map(event => event.eventid))].sort();
    // 8 is input to a program, which nobody here gives.
    const range = (prefix: string, last: number) =>
      Array.from({ length: last }, (_, i) => prefix + String(i + 1).padStart(4, "0")).filter(id => !id.endsWith("8"));
    expect(numbers("kipp")).toEqual(range("KIPP", 16));
    expect(numbers("cow")).toEqual(range("COW", 17));
    expect(Array.isArray(first("kipp", "KIPP0001").message)).toBe(true);
    expect(first("cow", "COW0001").message).toEqual([]);
  });

  test("what changed from one to the next", () => {
    const closed = "cowrie.session.closed";
    const version = "cowrie.client.version";
    expect(eventsOf.get("v1.3")!.every(event => typeof event.system === "string" && event.isError === 0)).toBe(true);
    expect(first("v1.2", "cowrie.session.connect")).not.toHaveProperty("protocol");
    expect(first("v1.3", "cowrie.session.connect")).toHaveProperty("protocol");
    expect(first("v2.2", version).version).toMatch(/^b'.*'$/);
    expect(first("v2.5", version).version).not.toMatch(/^b'/);
    expect(typeof first("v2.5", closed).duration).toBe("number");
    expect(new Set(eventsOf.get("v2.8")!.map(event => typeof event.duration))).toContain("string");
    expect(Number.isInteger(first("v3", closed).duration_ms)).toBe(true);
    expect(Object.keys(first("v2.8", closed))[0]).toBe("eventid");
    expect(Object.keys(first("v3", closed)).slice(0, 3)).toEqual(["session", "protocol", "src_ip"]);
    expect(first("v3", "cowrie.direct-tcpip.request")).toHaveProperty("orig_port");
    expect(readFileSync(join(FIXTURES_FOLDER, "eras", ERA_FILES[2]!.path), "latin1")).toStartWith('{"eventid": "');
  });

  test("the three shapes of a download", () => {
    for (const era of ["v2.2", "v2.5", "v2.8", "v3"] as const) {
      const downloads = eventsOf.get(era)!.filter(event => event.eventid === "cowrie.session.file_download");
      const shape = (event: Event) => ("url" in event ? "fetch" : event.destfile === "" ? "stdin" : "redirect");
      expect([...new Set(downloads.map(shape))].sort()).toEqual(["fetch", "redirect", "stdin"]);
    }
  });
});

describe("the example fleet", () => {
  const folder = join(FIXTURES_FOLDER, "fleet");
  const files = readLogFolder(folder);
  const counted = countSlowly(files);
  const texts = new Map(files.map(file => [file.path, unpackFile(Buffer.from(file.bytes)).toString("utf8")]));
  const events = [...texts]
    .filter(([path]) => !(FLEET_FACTS.duplicateFiles as readonly string[]).includes(path))
    .flatMap(([, text]) => text.split(/\r?\n/))
    .flatMap(line => (line.startsWith("{") && line.endsWith("}") && !line.includes(':{"event') ? [line] : []))
    .map(line => JSON.parse(line) as Event);
  const on = (sensor: string, day: string) =>
    events.filter(event => event.sensor === sensor && event.timestamp?.startsWith(day));

  test("generating it again gives the committed files, byte for byte before packing", () => {
    const fixtures = buildFixtures();
    const committed = ["fleet", "eras"].flatMap(name =>
      readdirSync(join(FIXTURES_FOLDER, name), { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile() && !entry.name.endsWith(".arrow"))
        .map(entry => join(entry.parentPath, entry.name).slice(FIXTURES_FOLDER.length + 1)),
    );
    expect([...fixtures.keys()].sort()).toEqual(committed.sort());
    for (const [path, { text }] of fixtures) {
      const same = unpackFile(readFileSync(join(FIXTURES_FOLDER, path))).equals(text);
      expect({ path, same }).toEqual({ path, same: true });
    }
  });

  test("it is small enough to ship", () => {
    expect(files.reduce((sum, file) => sum + file.bytes.length, 0)).toBeLessThan(3e6);
  });

  test("the slow counter finds what the README says", () => {
    const { events: sound, repaired, rejected, pending } = counted.total;
    expect({ sound, repaired, rejected, pending }).toEqual({
      sound: FLEET_FACTS.events,
      repaired: FLEET_FACTS.repaired,
      rejected: FLEET_FACTS.rejected,
      pending: FLEET_FACTS.pending,
    });
    expect(counted.leftOut).toEqual([...FLEET_FACTS.duplicateFiles].sort());
    expect(files.length).toBe(FLEET_FACTS.files);
    const readme = readFileSync(join(FIXTURES_FOLDER, "README.md"), "utf8");
    expect(readme).toContain(`| ${FLEET_FACTS.events} | ${repaired} | ${rejected} | ${pending} |`);
  });

  test("sensors: all there, one down, one late", () => {
    const days = Map.groupBy(counted.rows.filter(row => row.kind === "event"), row => row.sensor);
    const daysOf = (sensor: string) => [...new Set(days.get(sensor)!.map(row => row.date))].sort();
    expect([...days.keys()].sort()).toEqual([...FLEET_FACTS.sensors].sort());
    for (const sensor of FLEET_FACTS.sensors) expect(daysOf(sensor).at(-1)).toBe(FLEET_FACTS.lastDay);
    const { down, joins } = FLEET_FACTS;
    expect(daysOf("hp-ams-01").length).toBe(42);
    expect(daysOf(down.sensor).length).toBe(42 - 5);
    expect(daysOf(down.sensor).filter(day => day >= down.first && day <= down.last)).toEqual([]);
    expect(daysOf(joins.sensor)[0]).toBe(joins.first);
  });

  test("one campaign starts, one ends", () => {
    const { starts, ends } = FLEET_FACTS;
    const daysWith = (kind: string, part: string) =>
      [...new Set(counted.rows.filter(row => row.kind === kind && row.key.includes(part)).map(row => row.date))].sort();
    const traces = ({ password, lines, shasum }: Campaign) =>
      Object.entries({ login: password, command: lines.at(-1)!, file_download: shasum });
    for (const [kind, part] of traces(starts)) {
      const days = daysWith(kind, part);
      expect([days[0], days.at(-1), days.length]).toEqual([starts.first, FLEET_FACTS.lastDay, 18]);
    }
    for (const [kind, part] of traces(ends)) {
      const days = daysWith(kind, part);
      expect([days[0], days.at(-1), days.length]).toEqual([FLEET_FACTS.firstDay, ends.last!, 28]);
    }
    expect(counted.verdicts.get(starts.shasum)).toEqual({ positives: 3, total: 72 });
    expect(counted.verdicts.get(ends.shasum)).toEqual({ positives: 41, total: 72 });
  });

  test("one spike", () => {
    const { sensor, day, srcIp, username, sessions, each } = FLEET_FACTS.spike;
    const spike = on(sensor, day).filter(event => event.src_ip === srcIp);
    expect(spike.filter(event => event.eventid === "cowrie.session.connect").length).toBe(sessions);
    expect(spike.filter(event => event.username === username).length).toBe(sessions * each);
  });

  test("a session crosses midnight, its last command is of the second day", () => {
    const { sensor, srcIp, connectDay, lastCommandDay, commands } = FLEET_FACTS.midnight;
    const session = events.filter(event => event.sensor === sensor && event.src_ip === srcIp);
    expect(session[0]!.timestamp).toStartWith(connectDay);
    expect(session.filter(event => event.input).map(event => [event.timestamp.slice(0, 10), event.input])).toEqual([
      [connectDay, commands[0]],
      [lastCommandDay, commands[1]],
    ]);
    const last = counted.rows.filter(row => row.kind === "pre_disconnect_command" && row.key[0] === commands[1]);
    expect(last.map(({ date, count }) => [date, count])).toEqual([[lastCommandDay, 1]]);
  });

  test("every hostile string is a password and a command, as it is", () => {
    const { sensors, day, srcIp } = FLEET_FACTS.hostile;
    for (const sensor of sensors) {
      const hostile = on(sensor, day).filter(event => event.src_ip === srcIp);
      const commands = hostile.filter(event => event.eventid === "cowrie.command.input").map(event => event.input);
      expect(commands.slice(0, HOSTILE_STRINGS.length)).toEqual([...HOSTILE_STRINGS]);
      const passwords = hostile.filter(event => event.username === "hostile").map(event => event.password);
      // Since v3.0.5 passwords are escaped before they are logged.
      expect(passwords).toEqual(HOSTILE_STRINGS.map(text => (sensor === "hp-nyc-01" ? text : escapeBytes(text))));
    }
  });

  test("oddities of files", () => {
    const text = (path: string) => texts.get(path)!;
    expect(text("hp-nyc-01/cowrie.json.2026-08-06")).toStartWith("\0".repeat(4096) + "{");
    expect(text("hp-nyc-01/cowrie.json.2026-08-07")).toContain('"username":{"eventid"');
    expect(text("hp-nyc-01/cowrie.json.2026-08-08")).not.toEndWith("\n");
    expect(text("hp-nyc-01/cowrie.json.2026-08-09")).not.toStartWith("{");
    expect(text("hp-nyc-01/cowrie.json.2026-08-10")).toStartWith('[{"');
    expect(text("hp-nyc-01/cowrie.json.2026-08-11")).toStartWith('\ufeff{"');
    expect(text("hp-nyc-01/cowrie.json.2026-08-11")).toEndWith("}\r\n");
    expect(text("hp-nyc-01/cowrie.json.2026-08-12")).toContain("\n\n");
    expect(text("hp-nyc-01/cowrie.json.2026-08-24")).toBe(text("hp-nyc-01/cowrie.json.2026-08-13"));
    expect(text("hp-ams-01/cowrie.json")).toStartWith(text("backup/hp-ams-01/cowrie.json"));
    expect(text("hp-ams-01/cowrie.json")).not.toEndWith("}\n");
    const times = parseAll(text("hp-sgp-01/cowrie.json.2026-08-12")).map(event => event.timestamp);
    expect(times).not.toEqual(times.toSorted());
  });

  test("oddities of events", () => {
    const { unknownEvent, late } = FLEET_FACTS;
    const some = (sensor: string, filter: (event: Event) => boolean) =>
      events.filter(event => event.sensor === sensor && filter(event)).length;
    const unknown = on(unknownEvent.sensor, unknownEvent.day).filter(event => event.eventid === unknownEvent.eventid);
    expect(unknown.length).toBe(unknownEvent.count);
    const tardy = on(late.sensor, late.day).filter(event => event.late === true);
    expect(tardy.map(event => event.shasum)).toEqual([late.shasum]);
    expect(some("hp-sgp-01", event => String(event.src_ip).startsWith("::ffff:"))).toBeGreaterThan(100);
    expect(some("hp-waw-02", event => !event.timestamp.endsWith("+0200"))).toBe(0);
    expect(some("hp-lab-01", event => /:\d\dZ$/.test(event.timestamp))).toBe(2);
    expect(some("hp-nyc-01", event => String(event.version).startsWith("b'"))).toBeGreaterThan(100);
    expect(some("hp-sgp-01", event => event.password === "b'\\xff\\xfe\\x00'")).toBe(1);
  });
});
