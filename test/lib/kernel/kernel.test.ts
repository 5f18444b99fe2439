/** The kernel is made of its source, reads as the plain path does to the last byte of a table, and keeps nothing between logs. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventTableToIpc } from "../../../lib/events/event-table.ts";
import { LineReader } from "../../../lib/events/line-reader.ts";
import type { MapOptions } from "../../../lib/events/map-log.ts";
import { kernelBytes } from "../../../lib/kernel/kernel-bytes.ts";
import { adoptKernel, kernelModule } from "../../../lib/kernel/kernel.ts";
import { parseTimestampUs } from "../../../lib/text/time.ts";
import { mutatedLines, randomLines } from "../../hostile/lines.ts";
import { ERAS, type EraName } from "../../support/cowrie-eras.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { generateLogs, planSensors } from "../../support/generate-logs.ts";
import { seededRandom } from "../../support/random.ts";
import { listLogs } from "../../support/real-logs.ts";
import { makeTempDir, ROOT, run } from "../../support/run.ts";
import { mapBytes } from "../../support/tables.ts";
import { randomTimestamp } from "../../support/timestamps.ts";

const encoder = new TextEncoder();

const COMPILER = join(ROOT, "node_modules/assemblyscript/bin/asc.js");
const NEEDS_COMPILER = existsSync(COMPILER) ? "" : " (needs assemblyscript: bun install)";

test.skipIf(NEEDS_COMPILER !== "")(`the kernel is what its source compiles to${NEEDS_COMPILER}`, async () => {
  await using temp = await makeTempDir();
  const outFile = join(temp.path, "kernel.wasm");
  const config = join(ROOT, "lib/kernel/asconfig.json");
  const { exitCode, stderr } = await run([process.execPath, COMPILER, "--config", config, "--outFile", outFile], { cwd: ROOT });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  // Not `toEqual`, which would print them.
  expect(Buffer.compare(readFileSync(outFile), kernelBytes())).toBe(0);
});

/** The event table of a log, as its file would be. */
async function tableBytes(bytes: Uint8Array | string, options: MapOptions = {}): Promise<Buffer> {
  const { info, table } = await mapBytes(bytes, options);
  try {
    return Buffer.concat([...eventTableToIpc(table, info)].map(chunk => chunk.slice()));
  } finally {
    table.close();
  }
}

/** Whether both ways of reading give the same table, byte for byte. */
async function isSameTable(bytes: Uint8Array | string): Promise<boolean> {
  return (await tableBytes(bytes)).equals(await tableBytes(bytes, { plainOnly: true }));
}

function generated(era: EraName): Uint8Array {
  let text = "";
  const sensors = planSensors(2, [era]);
  generateLogs({ seed: era, firstDay: "2026-03-01", days: 1, sensors, eventsPerDay: 150 }, (_, piece) => (text += piece));
  return encoder.encode(text);
}

/** A line with these members behind the two that make it an event. */
const line = (...members: string[]) =>
  `{${['"eventid":"cowrie.login.failed"', '"timestamp":"2026-01-02T03:04:05.678901Z"', ...members].join(",")}}\n`;

describe("tables are the same, byte for byte, by the kernel and without it", () => {
  test("there is a kernel", () => {
    expect(kernelModule()).toBeInstanceOf(WebAssembly.Module);
  });

  test("of the example logs", async () => {
    const paths = listLogs(FIXTURES_FOLDER);
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) {
      const bytes = readFileSync(path);
      expect({ path, isSame: await isSameTable(bytes[0] === 0x1f ? Bun.gunzipSync(bytes) : bytes) }).toEqual({ path, isSame: true });
    }
  });

  test("of timestamps of every form, right and spoiled", async () => {
    const random = seededRandom("timestamps");
    const stamps = Array.from({ length: 40_000 }, () => randomTimestamp(random));
    const text = stamps.map(stamp => `{"eventid":"cowrie.session.connect","timestamp":"${stamp}","src_ip":"192.0.2.1"}\n`).join("");
    expect(await isSameTable(text)).toBe(true);
    const { info, table } = await mapBytes(text);
    table.close();
    expect(info.source.counts.events).toBe(stamps.filter(stamp => !Number.isNaN(parseTimestampUs(stamp))).length);
  });

  for (const era of Object.keys(ERAS) as EraName[]) {
    test(`of generated logs of ${era}, whole and with lines spoiled`, async () => {
      const bytes = generated(era);
      expect(await isSameTable(bytes)).toBe(true);
      const lines = Buffer.from(bytes).toString("latin1").split("\n").map(text => Buffer.from(text, "latin1"));
      expect(await isSameTable(mutatedLines(seededRandom(era), lines, 600))).toBe(true);
    });
  }

  test("of lines that an attacker would write", async () => {
    for (let seed = 0; seed < 4; seed++) {
      const random = seededRandom(`kernel ${seed}`);
      expect({ seed, isSame: await isSameTable(randomLines(random, 800)) }).toEqual({ seed, isSame: true });
    }
  });

  test("of one line cut at every byte", async () => {
    const whole = line('"username":"r\\u00f6ot"', '"password":"a\\"b"', '"duration":17.199999809265137', '"kexAlgs":["a",{"b":[1.5e3,null]}]');
    const cuts = Array.from({ length: whole.length }, (_, end) => `${whole.slice(0, end)}\n${whole}`);
    expect(await isSameTable(cuts.join(""))).toBe(true);
  });

  const edges: Readonly<Record<string, string>> = {
    "texts of every length round a vector": Array.from({ length: 70 }, (_, n) => line(`"input":"${"x".repeat(n)}"`)).join(""),
    "texts that differ in one byte": Array.from({ length: 200 }, (_, n) =>
      line(`"input":"${"y".repeat(n % 50)}${String.fromCharCode(97 + (n % 26))}${"y".repeat(49 - (n % 50))}"`),
    ).join(""),
    "escapes of one, two and three bytes, and surrogates": ["\\u0041", "\\u00e4", "\\u20ac", "\\ud83d\\ude00", "\\ud800", "\\/\\b\\f\\n\\r\\t"]
      .map(text => line(`"password":"${text}"`))
      .join(""),
    "more codes than a byte holds": Array.from({ length: 700 }, (_, n) => line(`"password":"p${n % 300}"`)).join(""),
    "durations of many digits": ["0.1", "0.30000000000000004", "17.199999809265137", "9007199254740993", "1.0000000000000000001", "123456789012345678", "0.00000000000000000000001"]
      .map(text => line(`"duration":${text}`) + line(`"duration":"${text}"`) + line(`"duration_ms":${text}`))
      .join(""),
    "more keys than are remembered": Array.from({ length: 1500 }, (_, n) => line(`"key${n}":${n}`)).join(""),
    "more event ids than branch": Array.from({ length: 400 }, (_, n) => line(`"n":${n}`).replace("login.failed", `x${n}`)).join(""),
    "texts that come only with lines that are given up": `${line('"username":"gone"', '"src_port":70000')}${line('"username":null')}${line('"input":"gone" ,"input":"2"')}${line()}`,
  };
  test.each(Object.entries(edges))("of %s", async (_, text) => {
    expect(await isSameTable(text)).toBe(true);
  });
});

describe("a kernel that is used again", () => {
  test("knows nothing of the log before", async () => {
    const first = generated("v2.5");
    const alone = await tableBytes(first);
    await tableBytes(randomLines(seededRandom("between"), 500));
    expect((await tableBytes(first)).equals(alone)).toBe(true);
  });

  test("is not there for another log while one is being read", async () => {
    using one = new LineReader();
    using other = new LineReader();
    for (const [reader, user] of [[one, "one"], [other, "other"]] as const) {
      const bytes = encoder.encode(line(`"username":"${user}"`));
      reader.roomFor(bytes.length, 0).set(bytes);
      reader.readLines(0, bytes.length);
    }
    const users = [one, other].map(reader => {
      const { table } = reader.finish();
      const { arena } = table.dictionaries.get("username")!;
      table.close();
      return Buffer.from(arena).toString();
    });
    expect(users).toEqual(["one", "other"]);
  });
});

describe("without WebAssembly", () => {
  const module = kernelModule();
  afterAll(() => adoptKernel(module));

  test("the plain path gives the same table", async () => {
    const bytes = generated("v3");
    const expected = await tableBytes(bytes);
    adoptKernel(undefined);
    expect((await tableBytes(bytes)).equals(expected)).toBe(true);
  });
});
