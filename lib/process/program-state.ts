/**
 * Which program this is, down to the file: what another one made is made again.
 *
 * Told by the state of each of its files, not by its version alone: a clone is pulled, edited, taken back. Some 250 looks
 * at the file system, two milliseconds.
 */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSmallText, stateOf } from "../columns/regular-file.ts";
import manifest from "../../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDERS = ["lib", "scripts", "templates"];

let known: string | undefined;

/** A name of this program in its present state: 32 hexadecimal digits, the same until one of its files changes. */
export function programState(): string {
  return (known ??= stateOfProgram(ROOT));
}

/** {@link programState} of a clone. */
export function stateOfProgram(root: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(`${Bun.version} ${Bun.revision}`);
  const add = (path: string) => {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    hash.update(`\0${path}\0${stat === undefined ? "none" : stateOf(stat)}`);
  };
  const addFolder = (folder: string) => {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) addFolder(path);
      else add(path);
    }
  };
  for (const name of FOLDERS) addFolder(join(root, name));
  for (const name of ["package.json", "bun.lock"]) add(join(root, name));
  // Packages change with their manifests. By what these say: a file has links in all clones of a machine, and each that is
  // made or removed changes the state of all.
  for (const name of Object.keys(manifest.dependencies)) {
    hash.update(`\0${name}\0`).update(readManifest(join(root, "node_modules", name, "package.json")));
  }
  return hash.digest("hex").slice(0, 32);
}

function readManifest(path: string): string {
  try {
    return readSmallText(path);
  } catch {
    // Not installed.
    return "none";
  }
}
