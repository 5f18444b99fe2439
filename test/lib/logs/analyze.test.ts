/** The whole reading core against cases made by hand, against the slow counter, and against the laws of merging. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { loadCases } from "../../support/cases.ts";
import { ERAS, type EraName } from "../../support/cowrie-eras.ts";
import { FIXTURES_FOLDER, FLEET_FACTS } from "../../support/example-fleet.ts";
import { planSensors, writeLogs } from "../../support/generate-logs.ts";
import { seededRandom } from "../../support/random.ts";
import { mutatedLines, randomLines } from "../../hostile/lines.ts";
import { NEEDS_REAL_LOGS, readLogFolder, realFolder, realFolders } from "../../support/real-logs.ts";
import { makeTempDir } from "../../support/run.ts";
import { countSlowly, type SlowOptions } from "../../support/slow-counter.ts";
import { analyze, asCounted } from "../../support/tables.ts";

const NO_EVENT = "Cannot find an event in any log: expected Cowrie's JSON, one object a line";

describe("golden cases", () => {
  for (const golden of loadCases()) {
    test(`${golden.name}: ${golden.about}`, async () => {
      const { robotMaxSeconds = 10, sensorAlias, keepDuplicates = false } = golden.options;
      const sensorAliases = sensorAlias && Object.fromEntries(sensorAlias);
      const analysis = analyze([golden.input], {
        root: golden.input,
        parameters: { robotMaxSeconds, ...(sensorAliases ? { sensorAliases } : {}) },
        keepDuplicates,
      });
      const { files, leftOut, ...expected } = golden.expected;
      if (Object.values(expected.rows).every(rows => rows.length === 0)) {
        return expect(analysis).rejects.toThrow(NO_EVENT);
      }
      const { asCounted, notices } = await analysis;
      const withEvents = Object.entries(files).filter(([, { events, repaired }]) => events + repaired > 0);
      expect(asCounted).toEqual({ ...expected, files: Object.fromEntries(withEvents), leftOut: [] });
      for (const path of leftOut) expect(notices.join("\n")).toContain(`/${path}"`);
    });
  }
});

/** Hold the analysis of a folder against the slow counter, line counts of every log included. */
async function expectAsSlow(folder: string, { robotMaxSeconds = 10, sensorAlias, ...options }: SlowOptions = {}) {
  const sensorAliases = sensorAlias && Object.fromEntries(sensorAlias);
  const { asCounted: counted, leftOut } = await analyze([folder], {
    root: folder,
    parameters: { robotMaxSeconds, ...(sensorAliases ? { sensorAliases } : {}) },
    ...options,
  });
  const slow = countSlowly(readLogFolder(folder), {
    robotMaxSeconds,
    ...(sensorAlias ? { sensorAlias } : {}),
    ...options,
  });
  const expected = asCounted(slow);
  // Kind by kind, so that a difference is not buried under thousands of rows.
  for (const kind of Object.keys(expected.rows) as (keyof typeof expected.rows)[]) {
    const own = new Set(counted.rows[kind]);
    const other = new Set(expected.rows[kind]);
    const onlyHere = counted.rows[kind].filter(row => !other.has(row)).slice(0, 3);
    const onlySlow = expected.rows[kind].filter(row => !own.has(row)).slice(0, 3);
    expect({ kind, rows: own.size, onlyHere, onlySlow }).toEqual({
      kind,
      rows: other.size,
      onlyHere: [],
      onlySlow: [],
    });
  }
  const { files, verdicts } = counted;
  expect({ files, verdicts }).toEqual({ files: expected.files, verdicts: expected.verdicts });
  return { counted, leftOut };
}

describe("the analysis counts as the slow counter does", () => {
  test("on the example fleet", async () => {
    const { counted, leftOut } = await expectAsSlow(join(FIXTURES_FOLDER, "fleet"));
    const sums = { events: 0, repaired: 0, rejected: 0, pending: 0 };
    for (const counts of Object.values(counted.files)) {
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name];
    }
    const { events, repaired, rejected, pending, duplicateFiles } = FLEET_FACTS;
    expect([sums, leftOut]).toEqual([{ events, repaired, rejected, pending }, duplicateFiles.length]);
  });

  test("on the example fleet with other parameters", async () => {
    const sensorAlias = new Map([
      ["hp-ams-01", "europe"],
      ["hp-waw-02", "europe"],
      ["hp-sgp-01", "__proto__"],
    ]);
    await expectAsSlow(join(FIXTURES_FOLDER, "fleet"), { robotMaxSeconds: 2.5, sensorAlias, keepDuplicates: true });
  });

  test("on a log of every era", async () => {
    await expectAsSlow(join(FIXTURES_FOLDER, "eras"));
  });

  test("on generated logs of every era", async () => {
    await using dir = await makeTempDir();
    const sensors = planSensors(8, Object.keys(ERAS) as EraName[]);
    writeLogs(dir.path, { seed: "analysis", firstDay: "2026-02-26", days: 5, sensors, eventsPerDay: 250 });
    await expectAsSlow(dir.path);
    await expectAsSlow(dir.path, {
      robotMaxSeconds: 0,
      sensorAlias: new Map(sensors.map(({ name }) => [name, "all"])),
    });
  });

  for (const name of realFolders()) {
    test(`on real logs: ${name}${NEEDS_REAL_LOGS}`, async () => {
      await expectAsSlow(realFolder(name));
      if (!name.startsWith("series") && !name.startsWith("growing")) {
        await expectAsSlow(realFolder(name), { robotMaxSeconds: 60, keepDuplicates: true });
      }
    });
  }

  for (let seed = 0; seed < 6; seed++) {
    test(`on random and on spoiled lines, seed ${seed}`, async () => {
      await using dir = await makeTempDir();
      const random = seededRandom(`analysis ${seed}`);
      const good = randomLines(random, 800);
      const spoiled = mutatedLines(
        random,
        Buffer.from(good)
          .toString("latin1")
          .split("\n")
          .filter(Boolean)
          .map(line => Buffer.from(line, "latin1")),
        800,
      );
      // A hash under another key than Cowrie's, or a duration beyond all numbers: no Cowrie writes them, and what they
      // should come to is nowhere said.
      const text = (bytes: Uint8Array) =>
        Buffer.from(
          Buffer.from(bytes)
            .toString("latin1")
            .split("\n")
            .filter(line => !/shasum.*virustotal|virustotal.*shasum|1e400|"duration(_ms)?" *:.{0,3} *"?0\d/.test(line))
            .join("\n")
            .replaceAll("sha256", "sha257"),
          "latin1",
        );
      await Bun.write(join(dir.path, "a", "cowrie.json"), text(good));
      await Bun.write(join(dir.path, "b", "cowrie.json"), text(spoiled));
      await expectAsSlow(dir.path);
    });
  }
});
