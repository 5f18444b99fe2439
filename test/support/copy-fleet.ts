/** The example logs for one test: a copy, so that nothing is read that a run left beside them, and nothing is left there. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./run.ts";

/** Copy the logs of all sensors, or of one; `to` becomes the folder that holds them. */
export async function copyFleet(to: string, sensor = ""): Promise<string> {
  await copyWithoutTables(join(ROOT, "test/fixtures/fleet", sensor), to);
  return to;
}

/** Copy a folder of logs, but no event tables. */
export function copyWithoutTables(from: string, to: string): Promise<void> {
  return cp(from, to, { recursive: true, filter: source => !source.endsWith(".arrow") });
}
