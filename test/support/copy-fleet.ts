/** The example logs for one test: a copy, so that nothing is read that a run left beside them, and nothing is left there. */
import { cp, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { FIXTURES_FOLDER, FLEET_FACTS, unpackFile } from "./example-fleet.ts";

/** Copy the logs of all sensors, or of one; `to` becomes the folder that holds them. */
export async function copyFleet(to: string, sensor = ""): Promise<string> {
  await copyWithoutTables(join(FIXTURES_FOLDER, "fleet", sensor), to);
  return to;
}

/** Copy a folder of logs, but no event tables. */
export function copyWithoutTables(from: string, to: string): Promise<void> {
  return cp(from, to, { recursive: true, filter: source => !source.endsWith(".arrow") });
}

/**
 * The events of all sensors, or of some, in two logs a sensor instead of some forty: read in a fourth of the time, for
 * tests of what is made of the events and not of the files. Copies of other logs are not among them.
 */
export async function joinFleet(to: string, sensors: readonly string[] = FLEET_FACTS.sensors): Promise<string> {
  for (const sensor of sensors) {
    const folder = join(FIXTURES_FOLDER, "fleet", sensor);
    const copies = FLEET_FACTS.duplicateFiles.map(path => basename(path));
    // "cowrie.json" is the day that goes on; dated names sort by their days.
    const names = (await readdir(folder)).filter(name => !/\.arrow$|^cowrie\.json$/.test(name) && !copies.includes(name)).sort();
    const logs = await Promise.all(names.map(async name => unpackFile(await readFile(join(folder, name)))));
    await Bun.write(join(to, sensor, "cowrie.json.1.gz"), gzipSync(Buffer.concat(logs)));
    await cp(join(folder, "cowrie.json"), join(to, sensor, "cowrie.json"));
  }
  return to;
}
