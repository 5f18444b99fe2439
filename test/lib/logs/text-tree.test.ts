/** Logs that begin alike, by megabytes: what is left out is what holding each against each leaves out, at linear work. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { compareTexts, readHead } from "../../../lib/events/text-hash.ts";
import { leaveOutCopies } from "../../../lib/logs/find-logs.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";

/** Each log held against all of its first line that are kept so far, in their order. */
async function leaveOutSlowly(paths: readonly string[]): Promise<string[]> {
  let kept: string[] = [];
  const told: string[] = [];
  const heads = new Map<string, string>();
  for (const path of paths) heads.set(path, (await readHead(path).catch(() => ({ hash: path }))).hash);
  for (const path of paths) {
    let isKept = true;
    for (const other of kept.filter(log => heads.get(log) === heads.get(path))) {
      const relation = await compareTexts(other, path);
      if (relation === "differ") continue;
      const [copy, original] = relation === "a opens b" ? [other, path] : [path, other];
      told.push(`${copy} ${relation === "equal" ? "=" : "<"} ${original}`);
      if (relation !== "a opens b") {
        isKept = false;
        break;
      }
      kept = kept.filter(log => log !== other);
    }
    if (isKept) kept.push(path);
  }
  return told;
}

const leaveOut = async (paths: readonly string[]) => {
  const { notices, compared, paths: kept } = await leaveOutCopies(paths);
  const told = notices.map(line => {
    const [, copy, how, original] = /^Left out "(.*)": it holds (the same|the beginning).* "(.*)"$/.exec(line)!;
    return `${copy} ${how === "the same" ? "=" : "<"} ${original}`;
  });
  expect(kept.length).toBe(paths.length - told.length);
  return { told, compared };
};

/** Places where pieces and rounds end, and what is beside them. */
const PLACES = [3, 900, 4095, 4096, 4097, 8192, 9000, 16383, 16384, 16385, 20_480, 40_000, 65_536, 65_540, 150_000, 262_144, 300_001];

/** Texts of one first line that branch, end and come again at places of all kinds; some packed, some of these damaged. */
async function drawLogs(random: Random, folder: string): Promise<string[]> {
  const texts = [Buffer.from("[\n")];
  for (let i = 0; i < 14; i++) {
    const stem = random.pick(texts);
    const end = random.pick(PLACES.filter(place => place > stem.length).concat(stem.length + random.between(1, 9000)));
    const own = Buffer.alloc(end - stem.length, random.chance(0.5) ? "x" : `${i},`);
    texts.push(Buffer.concat([stem, own]));
  }
  const paths: string[] = [];
  for (let i = 0; i < 70; i++) {
    const whole = random.pick(texts);
    const cut = random.weighted([5, 2, 3, 2]);
    const length = [whole.length, random.pick(PLACES), random.between(2, whole.length), whole.length - random.int(30)][cut]!;
    const text = whole.subarray(0, Math.max(2, Math.min(whole.length, length)));
    const path = join(folder, `${i}`);
    const packed = random.chance(0.2) ? gzipSync(text) : undefined;
    await Bun.write(path, packed === undefined ? text : random.chance(0.3) ? packed.subarray(0, -random.between(1, 12)) : packed);
    paths.push(path);
  }
  return paths;
}

describe("random logs that begin alike", () => {
  test.each([1, 2, 3, 4, 5])("are left out as if each were held against each, draw %p", async draw => {
    await using dir = await makeTempDir();
    const paths = await drawLogs(seededRandom(`alike ${draw}`), dir.path);
    const { told, compared } = await leaveOut(paths);
    expect(told).toEqual(await leaveOutSlowly(paths));
    expect(told.length).toBeGreaterThan(20);
    expect(compared).toBeLessThan(3 * paths.length);
  });
});

/** Bytes that this process has read, where the system counts them. */
const bytesRead = () => (existsSync("/proc/self/io") ? Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))![1]) : 0);

describe("the work for logs that share their beginning is linear in them", () => {
  const shared = `[\n${"y".repeat(200_000)}`;
  const WORLDS: [what: string, text: (i: number) => string, compared: number, readings: number][] = [
    ["that go on otherwise", i => `${shared}${1000 + i}${"z".repeat(90_000)}`, 0, 6],
    ["that end otherwise in one piece", i => `${shared}${"z".repeat(i)}!`, 0, 6],
    ["each of which holds the beginning of the next", i => `${shared}${"z".repeat(i * 40)}`, 199, 8],
    ["that are all the same", () => shared, 199, 8],
  ];
  test.each(WORLDS)("%s", async (_, textOf, wanted, readings) => {
    await using dir = await makeTempDir();
    const paths: string[] = [];
    let bytes = 0;
    for (let i = 0; i < 200; i++) {
      const text = textOf(i);
      bytes += text.length;
      paths.push(join(dir.path, `${i}`));
      await Bun.write(paths.at(-1)!, text);
    }
    for (const order of [paths, paths.toReversed()]) {
      const before = bytesRead();
      const { compared } = await leaveOut(order);
      expect(compared).toBe(wanted);
      expect((bytesRead() - before) / bytes).toBeLessThan(readings);
    }
  });
});
