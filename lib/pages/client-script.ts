/**
 * The pages' scripts, each with the parts of `lib/` it shares with the server, as one classic script.
 *
 * Tested in `test/templates.test.ts`.
 */
import { fileURLToPath } from "node:url";
import { readKeptText, writeKeptText } from "../process/kept-texts.ts";
import { programState } from "../process/program-state.ts";

/**
 * Put a script together, once for each state of the program: there is no build step to forget.
 *
 * @param name File in `templates/`.
 */
export async function bundleScript(name: string): Promise<string> {
  const keptAs = `${programState()}-${name}`;
  const kept = readKeptText("scripts", keptAs);
  if (kept !== undefined) return kept;
  const entry = fileURLToPath(new URL(`../../templates/${name}`, import.meta.url));
  const { outputs } = await Bun.build({ entrypoints: [entry], target: "browser", format: "iife", minify: true });
  const script = await outputs[0]!.text();
  writeKeptText("scripts", keptAs, script);
  return script;
}
