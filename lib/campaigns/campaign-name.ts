/**
 * What a campaign is called: a word of its own, the same as long as it does the same.
 *
 * The word is attackers' text: whoever shows it makes it harmless.
 *
 * Tested in `test/lib/campaigns/campaign-name.test.ts`.
 */
import { clipEnd } from "../text/cut.ts";
import type { Campaign } from "./campaign.ts";
import { isEveryday } from "./everyday.ts";
import { fileNameOf, withoutArchitecture } from "./marks.ts";

const NAME_MOST = 32;
const COMMAND_MOST = 60;
/** Of so many sessions one at least has the path or file that gives the name. */
const PATH_RARE = 10;

type Named = Pick<Campaign, "sessions" | "keys" | "paths" | "chains" | "hashes" | "hosts">;

/** The word behind its key, the file it fetches or sends, the first command that is its own, its host, its file. */
export function nameCampaign({ sessions, keys, paths, chains, hashes, hosts }: Named): string {
  const comment = keys.find(key => key.comment !== undefined && !key.comment.includes("@"))?.comment;
  if (comment !== undefined) return clipEnd(comment, NAME_MOST);
  const fetched = chains[0]?.commands.flatMap(command => fileNames(command))[0];
  const path = paths.find(one => one.sessions * PATH_RARE >= sessions)?.value;
  const file = (path === undefined ? undefined : fileNameOf(path)) ?? fetched ?? hashes.find(one => one.name !== undefined && one.sessions * PATH_RARE >= sessions)?.name;
  if (file !== undefined) return clipEnd(withoutArchitecture(file), NAME_MOST);
  const own = chains[0]?.commands.find(command => !isEveryday(command)) ?? longest(chains[0]?.commands ?? []);
  if (own !== undefined) return clipEnd(own.trim().split("\n", 1)[0]!, COMMAND_MOST);
  return hosts[0]?.value ?? hashes[0]?.value.slice(0, 16) ?? keys[0]?.fingerprint ?? "unnamed";
}

function longest(texts: readonly string[]): string | undefined {
  return texts.reduce<string | undefined>((most, text) => (most === undefined || text.length > most.length ? text : most), undefined);
}

/** Names of files in the URLs of a masked command. */
function fileNames(command: string): string[] {
  const urls = command.slice(0, 4096).matchAll(/:\/\/(?:<host>|[\w.-]{1,253})(?::\d{1,5})?(\/[^\s"'`;|&<>)?#]{1,256})/g);
  return Array.from(urls, ([, path]) => fileNameOf(path!)).filter(name => name !== undefined);
}
