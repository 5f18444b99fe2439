/** The example logs for one test: a copy, so that nothing is read that a run left beside them, and nothing is left there. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./run.ts";

/** Copy the logs of all sensors, or of one, without event tables; `to` becomes the folder that holds them. */
export async function copyFleet(to: string, sensor = ""): Promise<string> {
  const filter = (source: string) => !source.endsWith(".arrow");
  await cp(join(ROOT, "test/fixtures/fleet", sensor), to, { recursive: true, filter });
  return to;
}
