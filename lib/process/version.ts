/** Name and version of this program, for the foot of its pages. */
import manifest from "../../package.json" with { type: "json" };

export const PROGRAM = `${manifest.name} ${manifest.version}`;
