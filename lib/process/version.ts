/**
 * Name and version of this program, for `--version` and the foot of its pages.
 *
 * Tested in `test/lib/process/options.test.ts`.
 */
import manifest from "../../package.json" with { type: "json" };

export const PROGRAM = `${manifest.name} ${manifest.version}`;
