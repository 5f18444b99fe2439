/** Name and version of this program, for `--version` and the foot of its pages. */
import manifest from "../../package.json" with { type: "json" };

export const PROGRAM = `${manifest.name} ${manifest.version}`;
