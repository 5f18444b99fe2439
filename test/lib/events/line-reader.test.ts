/** The fast path takes every line as the plain path does, or leaves it to it. */
import { describe, expect, spyOn, test } from "bun:test";
import { readFileSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { LineReader } from "../../../lib/events/line-reader.ts";
import { ERAS, type EraName } from "../../support/cowrie-eras.ts";
import { generateLogs, planSensors } from "../../support/generate-logs.ts";
import { seededRandom } from "../../support/random.ts";
import { mutatedLines, randomLines } from "../../hostile/lines.ts";
import { listLogs, NEEDS_REAL_LOGS, REAL_LOGS, realFolder, realFolders } from "../../support/real-logs.ts";
import { readBack } from "../../support/tables.ts";

const encoder = new TextEncoder();

/** What differs first between the two ways of reading; undefined if nothing does. */
async function difference(bytes: Uint8Array | string, pieces?: readonly number[]) {
  const fast = await readBack(bytes, pieces ? { pieces } : {});
  const plain = await readBack(bytes, { plainOnly: true });
  const { events: fastEvents, ...fastRest } = fast;
  const { events: plainEvents, ...plainRest } = plain;
  if (!Bun.deepEquals(fastRest, plainRest)) return { fast: fastRest, plain: plainRest };
  for (let i = 0; i < Math.max(fastEvents.length, plainEvents.length); i++) {
    if (fastEvents[i] !== plainEvents[i]) return { event: i, fast: fastEvents[i], plain: plainEvents[i] };
  }
  return undefined;
}

function unpack(bytes: Buffer): Uint8Array {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  return bytes[0] === 0x28 && bytes[1] === 0xb5 ? zstdDecompressSync(bytes) : bytes;
}

const textOfFiles = (paths: readonly string[]) => Buffer.concat(paths.map(path => unpack(readFileSync(path))));

function generated(era: EraName, eventsPerDay: number): string {
  let text = "";
  generateLogs(
    { seed: era, firstDay: "2026-03-01", days: 2, sensors: planSensors(2, [era]), eventsPerDay },
    (_, piece) => (text += piece),
  );
  return text;
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const lf = bytes.indexOf(0x0a, start);
    const end = lf < 0 ? bytes.length : lf;
    if (end > start) lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

describe("fast and plain path agree", () => {
  for (const name of realFolders()) {
    test(`on real logs: ${name}${NEEDS_REAL_LOGS}`, async () => {
      expect(await difference(textOfFiles(listLogs(realFolder(name))))).toBeUndefined();
    });
  }
  test.skipIf(!REAL_LOGS)(`there are real logs${NEEDS_REAL_LOGS}`, () => {
    expect(realFolders().length).toBeGreaterThan(0);
  });

  // On the example logs: `test/lib/kernel/kernel.test.ts`, file by file and to the last byte.
  for (const era of Object.keys(ERAS) as EraName[]) {
    test(`on generated logs of ${era}`, async () => {
      expect(await difference(generated(era, 400))).toBeUndefined();
    });
  }

  for (let seed = 0; seed < 10; seed++) {
    test(`on random lines, seed ${seed}`, async () => {
      const random = seededRandom(`random lines ${seed}`);
      const bytes = randomLines(random, 2000);
      expect({ seed, difference: await difference(bytes) }).toEqual({ seed, difference: undefined });
    });
  }

  // Real lines where there are any, so that the words of the test do not change with them.
  const good = [...(Object.keys(ERAS) as EraName[])].flatMap(era => linesOf(encoder.encode(generated(era, 60))));
  const real = realFolders().flatMap(name =>
    linesOf(textOfFiles(listLogs(realFolder(name)).slice(0, 1))).slice(0, 500),
  );
  for (let seed = 0; seed < 10; seed++) {
    test(`on spoiled lines, seed ${seed}`, async () => {
      const random = seededRandom(`spoiled lines ${seed}`);
      const bytes = Buffer.concat([mutatedLines(random, good, 2000), mutatedLines(random, [...good, ...real], 1000)]);
      expect({ seed, difference: await difference(bytes) }).toEqual({ seed, difference: undefined });
    });
  }
});

describe("the random lines are worth something", () => {
  test("most are events, many go down the fast path, and the same seed gives the same lines", async () => {
    const bytes = randomLines(seededRandom("shape"), 2000);
    expect(bytes).toEqual(randomLines(seededRandom("shape"), 2000));
    const plain = spyOn(LineReader.prototype, "readPlain");
    const { source } = await readBack(bytes);
    expect(plain.mock.calls.length).toBeWithin(400, 1800);
    plain.mockRestore();
    expect(source.counts.events).toBeWithin(1000, 1800);
    expect(source.counts.repaired).toBeGreaterThan(30);
    expect(source.counts.rejected).toBeGreaterThan(200);
  });

  test("Cowrie's own lines of today need no plain path", async () => {
    const plain = spyOn(LineReader.prototype, "readPlain");
    const { source } = await readBack(generated("v3", 400));
    const share = plain.mock.calls.length / source.counts.lines;
    plain.mockRestore();
    expect(share).toBeLessThan(0.02);
  });
});
