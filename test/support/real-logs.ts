/**
 * Real logs, read where they lie. They are not part of the project: without them the tests that want them are skipped.
 *
 * `COWRIE_REAL_LOGS` names the folder; unset, it is `../shared/data/real` beside the checkout.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ROOT } from "./run.ts";
import type { SlowFile } from "./slow-counter.ts";

const wanted = resolve(ROOT, Bun.env.COWRIE_REAL_LOGS ?? "../shared/data/real");

/** The folder of the real logs; undefined when there is none. */
export const REAL_LOGS: string | undefined = existsSync(wanted) ? wanted : undefined;

/** Put into the name of a test that is skipped without them. */
export const NEEDS_REAL_LOGS = REAL_LOGS ? "" : " (skipped: no real logs; set COWRIE_REAL_LOGS)";

const legacy = resolve(wanted, "../legacy-reduced");
/** Folder of `reduced.json` files of the ancestor, beside the real logs; undefined when there is none. */
export const LEGACY_REDUCED: string | undefined = existsSync(legacy) ? legacy : undefined;
export const NEEDS_LEGACY_REDUCED = LEGACY_REDUCED ? "" : " (skipped: no legacy-reduced beside COWRIE_REAL_LOGS)";

/** The folders there are, sorted. */
export function realFolders(): string[] {
  return REAL_LOGS === undefined
    ? []
    : readdirSync(REAL_LOGS, { withFileTypes: true })
        .filter(entry => entry.isDirectory())
        .map(entry => entry.name)
        .sort();
}

/** Absolute path of one folder of real logs. */
export function realFolder(name: string): string {
  if (REAL_LOGS === undefined) throw new Error("Cannot find real logs: set COWRIE_REAL_LOGS");
  return join(REAL_LOGS, name);
}

/** Absolute paths of every log in a folder and in the folders in it, sorted. */
export function listLogs(folder: string): string[] {
  return readdirSync(resolve(folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && isLogName(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .sort();
}

/** The logs of {@link listLogs} with their bytes, path relative to the folder. */
export function readLogFolder(folder: string): SlowFile[] {
  return listLogs(folder).map(path => ({ path: relative(folder, path), bytes: readFileSync(path) }));
}

/** Starts with `cowrie`, holds `.json`, and is no output of the toolkit. */
export function isLogName(name: string): boolean {
  return name.startsWith("cowrie") && name.includes(".json") && !/\.(arrow|html|partial)$/.test(name);
}
