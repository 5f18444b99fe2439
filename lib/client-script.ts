/**
 * The report's page script, with the parts of `lib/` it shares with the server, as one classic script.
 *
 * Put together when this module is first loaded, in a few milliseconds, so that there is no build step to forget.
 */
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("../templates/report.js", import.meta.url));

async function bundle(): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [ENTRY], target: "browser", format: "iife", minify: true });
  return outputs[0]!.text();
}

export const CLIENT_SCRIPT = await bundle();
