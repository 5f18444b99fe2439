/**
 * The pages' scripts, each with the parts of `lib/` it shares with the server, as one classic script.
 *
 * Tested in `test/templates.test.ts`.
 */
import { fileURLToPath } from "node:url";

/**
 * Put a script together: some ten milliseconds when the module of its page is loaded, and no build step to forget.
 *
 * @param name File in `templates/`.
 */
export async function bundleScript(name: string): Promise<string> {
  const entry = fileURLToPath(new URL(`../../templates/${name}`, import.meta.url));
  const { outputs } = await Bun.build({ entrypoints: [entry], target: "browser", format: "iife", minify: true });
  return outputs[0]!.text();
}
