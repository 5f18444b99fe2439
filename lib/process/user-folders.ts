/** Folders of the user that everything here shares. */
import { homedir } from "node:os";
import { join } from "node:path";
import { environment } from "./cli.ts";

/** Where things lie that can be made again: event tables whose logs are in a folder that cannot be written, copies. */
export function cacheFolder(...inside: string[]): string {
  return join(environment("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "cowrie-longitudinal", ...inside);
}
