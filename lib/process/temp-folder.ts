/**
 * A folder for what is not worth keeping: removed when it is done with, and when a signal ends the script.
 *
 * Tested in `test/lib/reduced/sorted-runs.test.ts`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onStop } from "./cli.ts";

/**
 * @param stack Takes the folder along when it is disposed of.
 * @returns Its path.
 */
export function makeTempFolder(stack: DisposableStack, within = tmpdir(), prefix = "cowrie-tables-"): string {
  const folder = mkdtempSync(join(within, prefix));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  stack.defer(onStop(remove));
  stack.defer(remove);
  return folder;
}
