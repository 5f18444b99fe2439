/** What the kernel counts while it reads is what the plain path counts of the finished table: the same bytes of a reduced table. */
import { describe, expect, test } from "bun:test";
import { SET_MAX } from "../../../lib/columns/address-sets.ts";
import type { ReductionParameters } from "../../../lib/events/scope.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";
import { REDUCED_VERSION } from "../../../lib/reduced/kinds.ts";
import { KernelReducer } from "../../../lib/reduced/kernel-reducer.ts";
import { reduceEvents } from "../../../lib/reduced/reduce.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "../../../lib/reduced/reduced-builder.ts";
import { mutatedLines, randomLines } from "../../hostile/lines.ts";
import { ERAS, type EraName } from "../../support/cowrie-eras.ts";
import { generateLogs, planSensors } from "../../support/generate-logs.ts";
import { seededRandom } from "../../support/random.ts";
import { mapBytes } from "../../support/tables.ts";

const PARAMETERS: ReductionParameters = { robotMaxSeconds: 10 };

interface Reduced {
  readonly source: SourceInfo;
  readonly rows: ReducedRows;
}

/** Rows of a log by both ways; the kernel's are undefined where it gave up. */
async function reduceBoth(bytes: Uint8Array | string, parameters = PARAMETERS, heldMax?: number) {
  const watcher = new KernelReducer(parameters, heldMax);
  const { info, table } = await mapBytes(bytes, { watchers: [watcher] });
  const { source } = info;
  const byKernel = watcher.takeRows(table, source.wholeHash);
  const { rows } = await reduceEvents(table, source.wholeHash, parameters);
  table.close();
  return { byKernel: byKernel && { source, rows: byKernel }, plain: { source, rows } };
}

function merge(logs: readonly Reduced[], parameters = PARAMETERS): Buffer {
  const builder = new ReducedBuilder();
  for (const { source } of logs) builder.addSource(source);
  for (const { rows } of logs) builder.add(rows);
  const sources = logs.map(({ source }) => source);
  return Buffer.concat([...reducedToIpc(builder.finish({ version: REDUCED_VERSION, parameters, sources }))]);
}

async function isSame(bytes: Uint8Array | string, parameters = PARAMETERS): Promise<boolean> {
  const { byKernel, plain } = await reduceBoth(bytes, parameters);
  return merge([byKernel!], parameters).equals(merge([plain], parameters));
}

function generated(era: EraName): string {
  let text = "";
  const sensors = planSensors(2, [era]);
  generateLogs({ seed: era, firstDay: "2026-03-01", days: 2, sensors, eventsPerDay: 60 }, (_, piece) => (text += piece));
  return text;
}

/** A line with these members behind the id and the time. */
const line = (eventid: string, members: object, second = 0) =>
  `${JSON.stringify({ eventid, timestamp: new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString(), sensor: "a", session: "s", ...members })}\n`;

const FIRST_DAY = Date.UTC(2026, 2, 1) / 86_400_000;
const SCOPES: Readonly<Record<string, ReductionParameters>> = {
  "all that there is": PARAMETERS,
  "one day": { robotMaxSeconds: 2, sinceDay: FIRST_DAY + 1, untilDay: FIRST_DAY + 1 },
  "no day at all": { robotMaxSeconds: 2, untilDay: 0 },
  "one sensor of those that are merged": {
    robotMaxSeconds: 1e9,
    sensors: ["one"],
    sensorAliases: { "*1": "one", "*2": "one", "*": "other", "": "one" },
  },
};

describe("the same rows by the kernel and without it", () => {
  for (const era of Object.keys(ERAS) as EraName[]) {
    test(`of generated logs of ${era}, whatever is asked for`, async () => {
      const text = generated(era);
      for (const [name, parameters] of Object.entries(SCOPES)) {
        expect({ name, isSame: await isSame(text, parameters) }).toEqual({ name, isSame: true });
      }
    });
  }

  test("of lines that are spoiled, and of such as an attacker would write", async () => {
    for (let seed = 0; seed < 2; seed++) {
      const random = seededRandom(`reducer ${seed}`);
      const lines = generated("v2.5").split("\n").map(text => Buffer.from(text));
      const texts = [mutatedLines(random, lines, 300), randomLines(random, 400)];
      for (const parameters of Object.values(SCOPES)) {
        for (const text of texts) expect({ seed, isSame: await isSame(text, parameters) }).toEqual({ seed, isSame: true });
      }
    }
  });

  test("merged from pieces in any order, some of them by the kernel", async () => {
    for (let seed = 0; seed < 3; seed++) {
      const random = seededRandom(`pieces ${seed}`);
      const pieces = Array.from({ length: 5 }, () => "");
      for (const text of generated("v3").split("\n")) pieces[random.int(pieces.length)] += `${text}\n`;
      const both = await Promise.all(pieces.map(piece => reduceBoth(piece)));
      const mixed = random.shuffle(both.map(({ byKernel, plain }) => (random.int(3) > 0 ? byKernel! : plain)));
      expect({ seed, isSame: merge(mixed).equals(merge(both.map(({ plain }) => plain))) }).toEqual({ seed, isSame: true });
    }
  });

  const failed = (i: number, src_ip: string | undefined) => line("cowrie.login.failed", { username: "root", password: `p${i % 7}`, src_ip });
  const edges: Readonly<Record<string, string>> = {
    "sets of addresses up to their limit and beyond": [SET_MAX - 1, SET_MAX, SET_MAX + 1, 3 * SET_MAX]
      .map((n, user) => Array.from({ length: n }, (_, i) =>
        line("cowrie.login.failed", { username: `u${user}`, password: "p", src_ip: `192.${i >> 16}.${(i >> 8) & 255}.${i & 255}` })).join("").repeat(2))
      .join(""),
    "addresses in every spelling, and what is none": ["1.2.3.4", "::ffff:1.2.3.4", "::FFFF:1.2.3.4", "01.2.3.4", "1.2.3.256", "1.2.3", "1.2.3.4.", "1..2.3", "1.2.3.4 ", "", "::1", "2001:db8::1", "2001:db8::2", "2001:DB8:0:0::3", "fe80::1%eth0", "0.0.0.0", "255.255.255.255", "9999.1.1.1", "host", undefined]
      .flatMap(address => [0, 1, 2].map(i => failed(i, address)))
      .join(""),
    "an id under its old name and its new one": ["KIPP0002", "COW0002", "cowrie.login.success"]
      .map(id => line(id, { username: "a", password: "b", src_ip: "1.2.3.4" }))
      .join(""),
    "a client's version with and without its Python literal": ["SSH-2.0-Go", "b'SSH-2.0-Go'", 'b"SSH-2.0-Go"']
      .map(version => line("cowrie.client.version", { version, src_ip: "1.2.3.4" }))
      .join("") + line("cowrie.client.kex", { hassh: "h", version: "v" }),
    "last commands at one time, back in time, of a session in two sensors, of none": [
      [5, "s", "a", "late"], [3, "s", "a", "early"], [5, "s", "a", "same time"], [1, "s", "b", "other sensor"], [9, undefined, "a", "no session"],
    ].map(([second, session, sensor, input]) => line("cowrie.command.input", { session, sensor, input }, second as number)).join("") +
      line("cowrie.command.input", { realm: "x", input: "not a command" }, 30) + line("cowrie.command.input", {}, 31),
    "downloads with a hash, an empty one and none": [{ shasum: "aa" }, { shasum: "" }, {}]
      .flatMap(more => [{ url: "u", outfile: "o" }, { url: "u" }, {}].map(members => line("cowrie.session.file_download", { ...members, ...more })))
      .join(""),
    "verdicts, whole and not": [{ positives: 1, total: 70 }, { positives: 1 }, {}, { positives: 65535, total: 65536 }]
      .flatMap(more => [line("cowrie.virustotal.scanfile", { sha256: "aa", ...more }), line("cowrie.virustotal.scanfile", more)])
      .join(""),
    "keys that are offered, and none": [{}, { key: "k" }, { fingerprint: "f" }, { key: "k", fingerprint: "f" }]
      .map(members => line("cowrie.client.fingerprint", members))
      .join(""),
    "durations about the limit": [9.999, 10, 10.001, "9", undefined].map(duration => line("cowrie.session.closed", { src_ip: "1.2.3.4", duration })).join(""),
    "more ids, sensors, addresses and days than are remembered": Array.from({ length: 2000 }, (_, i) =>
      `{"eventid":"cowrie.x${i % 700}","timestamp":"20${10 + (i % 50)}-0${1 + (i % 9)}-01T${10 + (i % 13)}:00:00Z","sensor":"s${i % 600}","src_ip":"10.0.${i % 5}.${i % 256}"}\n`).join(""),
    "nothing": "",
    "no event": "{}\nnot JSON\n",
  };
  test.each(Object.entries(edges))("of %s", async (_, text) => {
    for (const parameters of Object.values(SCOPES)) expect(await isSame(text, parameters)).toBe(true);
  });
});

test("a log with more rows than are to be held is left to the plain path", async () => {
  const text = generated("v3");
  const isThere = async (heldMax: number) => (await reduceBoth(text, PARAMETERS, heldMax)).byKernel !== undefined;
  expect([await isThere(100), await isThere(1e6)]).toEqual([false, true]);
});

test("a reducer sees nothing where there is no kernel", async () => {
  const watcher = new KernelReducer(PARAMETERS);
  const { info, table } = await mapBytes(generated("v3"), { watchers: [watcher], plainOnly: true });
  expect(watcher.takeRows(table, info.source.wholeHash)).toBeUndefined();
  table.close();
});
