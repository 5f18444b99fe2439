/** value-counts as a user runs it, held against one JSON.parse a line. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { copyFleet } from "../support/copy-fleet.ts";
import { planSensors, writeLogs } from "../support/generate-logs.ts";
import { countBy, type PlainEvent, plainEvents } from "../support/plain-events.ts";
import { NEEDS_REAL_LOGS, REAL_LOGS, realFolder, readLogFolder } from "../support/real-logs.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";
import { scriptWords } from "../support/source.ts";
import { purposeOf } from "../../lib/text/purpose.ts";
import { techniquesOf } from "../../lib/text/techniques.ts";
import { countSlowly } from "../support/slow-counter.ts";
import { missing } from "../support/needs.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
const at = (name: string) => join(dir.path, name);

async function count(args: readonly string[]) {
  const { stdout, stderr, exitCode } = await runScript("value-counts", args, { cwd: dir.path });
  return { stdout, stderr, exitCode };
}

/** The rows of `--json -n 0`, as a map from the values to the count. */
async function counts(args: readonly string[]): Promise<Map<string, number>> {
  const { stdout, stderr, exitCode } = await count([...args, "--json", "-n", "0", "-q"]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  const rows = stdout
    .split("\n")
    .filter(Boolean)
    .map(line => JSON.parse(line) as Record<string, unknown>);
  return new Map(rows.map(({ count, ...values }) => [JSON.stringify(Object.values(values)), Number(count)]));
}

const sorted = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

beforeAll(async () => {
  dir = await makeTempDir();
  await copyFleet(at("fleet"));
  await writeLogs(at("logs"), {
    seed: "value-counts",
    firstDay: "2026-06-01",
    days: 3,
    eventsPerDay: 2000,
    sensors: planSensors(2, ["v2.8", "v3"]),
  });
});
afterAll(() => dir[Symbol.asyncDispose]());

const QUESTIONS: {
  args: string[];
  isCounted: (event: PlainEvent) => boolean;
  keyOf: (event: PlainEvent) => unknown[];
}[] = [
  {
    args: ["--event", "login.failed", "--column", "username,password"],
    isCounted: ({ eventid }) => eventid === "cowrie.login.failed",
    keyOf: ({ username, password }) => [username, password],
  },
  {
    args: ["--event", "cowrie.command.input", "--column", "input", "--by", "day"],
    isCounted: ({ eventid }) => eventid === "cowrie.command.input",
    keyOf: ({ timestamp, input }) => [timestamp.slice(0, 10), input],
  },
  {
    args: ["--event", "login.*", "--column", "eventid", "--by", "month"],
    isCounted: ({ eventid }) => eventid.startsWith("cowrie.login."),
    keyOf: ({ timestamp, eventid }) => [timestamp.slice(0, 7), eventid],
  },
  {
    args: ["--column", "eventid", "--by", "hour"],
    isCounted: () => true,
    keyOf: ({ timestamp, eventid }) => [Number(timestamp.slice(11, 13)), eventid],
  },
  {
    args: ["--event", "session.*", "--event", "client.version", "--column", "src_ip", "--by", "sensor"],
    isCounted: ({ eventid, src_ip }) => /^cowrie\.(session\..*|client\.version)$/.test(eventid) && src_ip !== undefined,
    keyOf: ({ sensor, src_ip }) => [sensor, String(src_ip).replace(/^::ffff:/, "")],
  },
  {
    args: ["--event", "session.connect", "--column", "dst_port", "--where", "dst_port!=23"],
    isCounted: ({ eventid, dst_port }) =>
      eventid === "cowrie.session.connect" && dst_port !== 23 && dst_port !== undefined,
    keyOf: ({ dst_port }) => [dst_port],
  },
  {
    args: ["--event", "direct-tcpip.request", "--column", "dst_port"],
    isCounted: ({ eventid, dst_port }) => eventid === "cowrie.direct-tcpip.request" && dst_port !== undefined,
    keyOf: ({ dst_port }) => [dst_port],
  },
  {
    args: ["--column", "session", "--where", "eventid=cowrie.login.success", "--where", "username=root"],
    isCounted: ({ eventid, username }) => eventid === "cowrie.login.success" && username === "root",
    keyOf: ({ session }) => [session],
  },
];

describe("the same as one JSON.parse a line", () => {
  const check = async (folder: string, args: string[], { isCounted, keyOf }: (typeof QUESTIONS)[number]) => {
    const expected = countBy(plainEvents(folder).filter(isCounted), event => JSON.stringify(keyOf(event)));
    expect(expected.size).toBeGreaterThan(0);
    expect(sorted(await counts([folder, ...args]))).toEqual(sorted(expected));
  };
  test.each(QUESTIONS.map(question => [question.args.join(" "), question] as const))("%s", async (_, question) => {
    await check(at("logs"), question.args, question);
  });

  test("a key that has no column of its own", async () => {
    const folder = at("logs");
    const expected = countBy(
      plainEvents(folder).filter(({ arch }) => arch !== undefined),
      ({ arch }) => JSON.stringify([arch]),
    );
    expect(expected.size).toBeGreaterThan(0);
    expect(sorted(await counts([folder, "--column", "arch"]))).toEqual(sorted(expected));
  });

  test("fingerprints of forwarded TLS and HTTP, which have no column of their own, beside a column", async () => {
    const event = (kind: string, at: number, more: Record<string, unknown>) =>
      JSON.stringify({
        eventid: `cowrie.direct-tcpip.${kind}`,
        timestamp: `2026-06-01T00:00:0${at}.000000Z`,
        session: "s",
        sensor: "s",
        src_ip: "203.0.113.7",
        dst_ip: "example.org",
        ...more,
      });
    const lines = [
      event("request", 0, { dst_port: 443 }),
      event("ja4", 1, { dst_port: 443, ja4: "t13d" }),
      event("ja4", 2, { dst_port: 8443, ja4: "t13d" }),
      event("ja4", 3, { dst_port: 443, ja4: "t13d" }),
      event("ja4h", 4, { dst_port: 80, ja4h: "ge11" }),
    ];
    await mkdir(at("forwarded"));
    await Bun.write(at("forwarded/cowrie.json"), `${lines.join("\n")}\n`);
    const asked = async (...args: string[]) => Object.fromEntries(await counts(["forwarded", ...args]));
    expect(await asked("--column", "ja4")).toEqual({ '["t13d"]': 3 });
    expect(await asked("--column", "ja4h")).toEqual({ '["ge11"]': 1 });
    expect(await asked("--event", "direct-tcpip.ja4", "--column", "ja4,dst_port")).toEqual({ '["t13d",443]': 2, '["t13d",8443]': 1 });
    expect(await asked("--event", "direct-tcpip.request", "--column", "dst_port")).toEqual({ "[443]": 1 });
  });

  test.skipIf(REAL_LOGS === undefined)(`real logs${NEEDS_REAL_LOGS}`, async () => {
    for (const name of ["cloud-2026", "series-2018"]) {
      for (const question of QUESTIONS.slice(0, 3)) {
        await check(realFolder(name), [...question.args, "--mapped-dir", at(`tables-${name}`)], question);
      }
    }
  });

  test("the fleet with all its oddities: what the slow counter finds", async () => {
    const slow = countSlowly(readLogFolder(at("fleet")));
    const expected = new Map<string, number>();
    for (const { kind, sensor, key, count, success } of slow.rows) {
      if (kind !== "login" || count === success) continue;
      const name = JSON.stringify([sensor, ...key]);
      expected.set(name, (expected.get(name) ?? 0) + count - success);
    }
    expect(
      sorted(await counts(["fleet", "--event", "login.failed", "--column", "username,password", "--by", "sensor"])),
    ).toEqual(sorted(expected));
  });
});

describe("what is shown", () => {
  test("a table, most frequent first, ties by value, and what was left out on stderr", async () => {
    const log = ["b", "a", "b", "c", "=1+1\u001b[2J"].map((password, i) =>
      JSON.stringify({
        eventid: "cowrie.login.failed",
        timestamp: `2026-06-01T00:00:0${i}.000000Z`,
        sensor: "s",
        password,
      }),
    );
    await Bun.write(
      at("small/cowrie.json"),
      `${log.join("\n")}\n{"eventid":"cowrie.log.open","timestamp":"2026-06-01T00:00:09Z"}\n`,
    );
    expect(await count(["small", "--column", "password", "-n", "3"])).toEqual({
      stdout: "password     count\nb                2\n=1+1\\x1b[2J      1\na                1\n",
      stderr: expect.stringMatching(/^value-counts: 3 of 4 values in 5 events, 1 more had no value; 1 log, /),
      exitCode: 0,
    });
    expect((await count(["small", "--column", "password", "--normalize", "--csv", "-q"])).stdout).toBe(
      "password,count,share\nb,2,0.4\n'=1+1\\x1b[2J,1,0.2\na,1,0.2\nc,1,0.2\n",
    );
    expect(
      (await count(["small", "--column", "password", "--by", "day", "--normalize", "-n", "1", "--json", "-q"])).stdout,
    ).toBe('{"day":"2026-06-01","password":"b","count":2,"share":0.4}\n');
  });

  /** Thirty values that a terminal would obey. */
  async function writeMany(): Promise<void> {
    const log = Array.from({ length: 30 }, (_, i) =>
      JSON.stringify({
        eventid: "cowrie.login.failed",
        timestamp: "2026-06-01T00:00:00Z",
        password: `${i}\u001b]0;x\u0007`,
      }),
    );
    await Bun.write(at("many/cowrie.json"), `${log.join("\n")}\n`);
  }

  test("a pipe gets all values, and nothing that a terminal would obey", async () => {
    await writeMany();
    for (const form of [["--csv"], ["--json"], []]) {
      const { stdout } = await count(["many", "--column", "password", "-q", ...form]);
      expect(stdout.trimEnd().split("\n").length).toBe(form[0] === "--json" ? 30 : 31);
      expect(stdout).not.toMatch(/[^ -~\n]/);
    }
  });

  const { reason, why } = missing("script");
  test.skipIf(reason !== undefined)(`a terminal gets twenty, and CSV nothing that it would obey${why}`, async () => {
    await writeMany();
    const script = `${scriptWords("value-counts")} many --column password --csv`;
    const { stdout } = await run(["script", "-qec", script, "/dev/null"], { cwd: dir.path, env: { NO_COLOR: "1" } });
    expect(stdout.match(/\\x1b\]0;x\\x07/g)!.length).toBe(20);
    expect(stdout).toContain("value-counts: Control characters are shown as \\x1b or \\n");
    expect(stdout).not.toContain("\u0007");
  });

  test("hashes are those of files, not of recordings or of downloads that failed", async () => {
    const hash = (digit: string) => digit.repeat(64);
    const log = [
      { eventid: "cowrie.log.closed", shasum: hash("a"), ttylog: "t" },
      { eventid: "cowrie.log.closed", shasum: hash("a"), ttylog: "t" },
      { eventid: "cowrie.session.file_download", shasum: "", url: "http://192.0.2.1/a" },
      { eventid: "cowrie.session.file_download", url: "http://192.0.2.1/a" },
      { eventid: "cowrie.session.file_download", shasum: hash("b"), url: "http://192.0.2.1/b" },
      { eventid: "cowrie.session.file_upload", shasum: hash("c"), filename: "c" },
      { eventid: "cowrie.virustotal.scanfile", sha256: hash("d"), positives: 1, total: 2 },
    ].map(event => JSON.stringify({ timestamp: "2026-06-01T00:00:00Z", session: "s", ...event }));
    await Bun.write(at("hashes/cowrie.json"), `${log.join("\n")}\n`);
    const rows = (...args: string[]) => counts(["hashes", "--column", "shasum,url", ...args]);
    expect(await rows()).toEqual(
      new Map([[JSON.stringify([hash("c"), null]), 1], [JSON.stringify([hash("b"), "http://192.0.2.1/b"]), 1]]),
    );
    expect((await rows("--event", "session.file_download")).size).toBe(1);
    expect(await rows("--event", "log.closed")).toEqual(new Map([[JSON.stringify([hash("a"), null]), 2]]));
    expect((await rows("--where", "eventid=cowrie.log.closed")).size).toBe(1);
  });

  test("conditions: exact, text held, patterns, and their opposites", async () => {
    const inputs = ["wget http://192.0.2.1/a", "curl x", "a*b", "aXb", "echo =~?"];
    const log = [...inputs.map(input => ({ input })), {}].map(event =>
      JSON.stringify({ eventid: "cowrie.command.input", timestamp: "2026-06-01T00:00:00Z", session: "s", ...event }),
    );
    await Bun.write(at("typed/cowrie.json"), `${log.join("\n")}\n`);
    const found = async (...conditions: string[]) => {
      const args = conditions.flatMap(condition => ["--where", condition]);
      return [...(await counts(["typed", "--column", "input", ...args])).keys()].map(key => JSON.parse(key)[0]).sort();
    };
    expect(await found("input~wget")).toEqual([inputs[0]]);
    expect(await found("input=a*b")).toEqual(["a*b"]);
    expect(await found("input~a*b")).toEqual(["a*b", "aXb"]);
    expect(await found("input~a?b", "input!=a*b")).toEqual(["aXb"]);
    expect(await found("input~a\\*b")).toEqual(["a*b"]);
    expect(await found("input~=~\\?")).toEqual(["echo =~?"]);
    expect(await found("input!~*l*", "input!~wget")).toEqual(["a*b", "aXb", "echo =~?"]);
    expect(await found("input~nothing")).toEqual([]);
  });

  test("a sensor or an event that there is not: said, and what there is is counted", async () => {
    const args = ["fleet", "--column", "eventid", "--by", "sensor", "--json", "-q"];
    const { stdout, stderr, exitCode } = await count([...args, "--sensor", "hp-ams-01", "--sensor", "hp-nycc"]);
    expect({ stderr, exitCode }).toEqual({
      stderr: 'Cannot find sensor "hp-nycc": did you mean "hp-nyc-01"?\n',
      exitCode: 1,
    });
    expect(stdout).toBe((await count([...args, "--sensor", "hp-ams-01"])).stdout);
    expect(await count([...args, "--event", "login.failed,login.sucess"])).toMatchObject({
      stderr: 'Cannot find event "login.sucess": did you mean "login.success"?\n',
      exitCode: 1,
    });
    // Nobody did it, and that is an answer.
    await Bun.write(at("one/cowrie.json"), '{"eventid":"cowrie.log.open","timestamp":"2026-06-01T00:00:09Z"}\n');
    expect(await count(["one", ...args.slice(1), "--event", "session.file_upload"])).toEqual({
      stdout: "", stderr: "", exitCode: 0,
    });
  });

  test("since, until, sensor and aliases", async () => {
    await Bun.write(at("aliases"), "hp-ams-01=amsterdam\n");
    const args = [
      "fleet",
      "--column",
      "eventid",
      "--by",
      "sensor",
      "--sensor-alias",
      "aliases",
      "--sensor",
      "amsterdam",
    ];
    const all = await counts([...args, "--since", "2026-07-20", "--until", "2026-07-21"]);
    const days = await Promise.all(
      ["2026-07-20", "2026-07-21"].map(day => counts([...args, "--since", day, "--until", day])),
    );
    const sum = (map: Map<string, number>) => [...map.values()].reduce((total, n) => total + n, 0);
    expect(new Set([...all.keys()].map(key => (JSON.parse(key) as string[])[0]))).toEqual(new Set(["amsterdam"]));
    expect(sum(all)).toBe(sum(days[0]!) + sum(days[1]!));
  });

  test("an Arrow stream, its file and the log give the same", async () => {
    const args = ["--column", "eventid", "--csv", "-q"];
    const log = "fleet/hp-ams-01/cowrie.json";
    const direct = await count([log, ...args]);
    const { stdoutBytes } = await runScript("map", [log, "-o", "-", "-q"], { cwd: dir.path });
    const piped = await runScript("value-counts", ["-", ...args], { cwd: dir.path, stdin: stdoutBytes });
    expect({ direct: direct.stdout, table: (await count([`${log}.arrow`, ...args])).stdout }).toEqual({
      direct: piped.stdout,
      table: piped.stdout,
    });
  });
});

describe("mistakes", () => {
  const MISTAKES: { args: string[]; says: string; exitCode: number }[] = [
    {
      args: ["--column", "pasword"],
      says: 'Cannot find a column or key "pasword" in these events: did you mean "password"?',
      exitCode: 2,
    },
    { args: ["--column", "input", "--where", "usrname=x"], says: 'did you mean "username"?', exitCode: 2 },
    {
      args: ["--column", "input", "--event", "comand.input"],
      says: 'Cannot find event "comand.input": did you mean "command.input"?',
      exitCode: 2,
    },
    { args: ["--column", "input", "--event", "connect"], says: 'did you mean "session.connect"?', exitCode: 2 },
    {
      args: ["--column", "input", "--sensor", "hp-nycc"],
      says: 'Cannot find sensor "hp-nycc": did you mean "hp-nyc-01"?',
      exitCode: 2,
    },
    { args: ["--column", "cmd"], says: 'did you mean "input"?', exitCode: 2 },
    { args: ["--column", "IP"], says: 'did you mean "src_ip"?', exitCode: 2 },
    // Not "data", which is the nearest by its letters.
    { args: ["--column", "date"], says: "--by day, --by month or --by hour counts by time", exitCode: 2 },
    { args: [], says: "Missing --column: expected --column NAME", exitCode: 2 },
    { args: ["--column", "a,,b"], says: "expected names between commas", exitCode: 2 },
    { args: ["--column", "input", "--where", "input"], says: "expected COLUMN=VALUE, COLUMN!=VALUE, COLUMN~TEXT or", exitCode: 2 },
    {
      args: ["--column", "input", "--by", "week"],
      says: 'Cannot read --by "week": expected "day", "month", "sensor" or "hour"',
      exitCode: 2,
    },
    { args: ["--column", "input", "--csv", "--json"], says: "expected one of them", exitCode: 2 },
  ];
  test.each(MISTAKES.map(mistake => [mistake.args.join(" "), mistake] as const))(
    "%s",
    async (_, { args, says, exitCode }) => {
      const result = await count(["fleet", ...args, "-q"]);
      expect({ ...result, stderr: "" }).toEqual({ stdout: "", stderr: "", exitCode });
      expect(result.stderr).toContain(says);
    },
  );
});

describe("columns made from others", () => {
  test("a line counts for each of its techniques, by day, and for its one purpose", async () => {
    const typed = plainEvents(at("logs")).filter(({ eventid, realm }) => eventid === "cowrie.command.input" && realm === undefined);
    const each = typed.flatMap(event => techniquesOf(String(event.input)).map(technique => ({ ...event, technique })));
    const byDay = countBy(each, ({ timestamp, technique }) => JSON.stringify([timestamp.slice(0, 10), technique]));
    expect(sorted(await counts(["logs", "--column", "technique", "--by", "day"]))).toEqual(sorted(byDay));
    const purposes = countBy(typed, ({ input }) => JSON.stringify([purposeOf(String(input))]));
    expect(sorted(await counts(["logs", "--column", "purpose"]))).toEqual(sorted(purposes));
    const fetching = await count(["logs", "--column", "input", "--event", "command.input", "--where", "technique~T1105", "--json", "-q"]);
    const lines = fetching.stdout.trim().split("\n").map(line => JSON.parse(line) as { input: string });
    expect(lines.length).toBeGreaterThan(0);
    for (const { input } of lines) expect(techniquesOf(input)).toContain("T1105");
  });

  test("keys planted and offered, by their fingerprint", async () => {
    const rows = await counts(["fleet", "--column", "ssh_key,eventid"]);
    const events = new Set([...rows.keys()].map(key => (JSON.parse(key) as string[])[1]));
    expect([...events].sort()).toEqual(["cowrie.client.fingerprint", "cowrie.command.input"]);
    for (const key of rows.keys()) expect((JSON.parse(key) as string[])[0]).toMatch(/^ssh-(?:rsa|ed25519) SHA256:[\w+/]{43}$/);
  });
});
