/**
 * The pages' scripts, each with the parts of `lib/` it shares with the server, as one classic script.
 *
 * Put together when this module is first loaded, in some ten milliseconds, so that there is no build step to forget.
 */
import { fileURLToPath } from "node:url";

async function bundle(name: string): Promise<string> {
  const entry = fileURLToPath(new URL(`../templates/${name}`, import.meta.url));
  const { outputs } = await Bun.build({ entrypoints: [entry], target: "browser", format: "iife", minify: true });
  return outputs[0]!.text();
}

export const [REPORT_SCRIPT, STATS_SCRIPT] = await Promise.all([bundle("report.js"), bundle("stats.js")]);
