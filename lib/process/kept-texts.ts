/**
 * Small texts that one run keeps for the next in the user's own state folder, beside the key: what the last run was made
 * from, scripts of pages put together. Each begins with an HMAC over itself, its name and what it is for, by the key, so
 * that nothing is believed that somebody else has put there; one that does not fit, for whatever reason, is none.
 */
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSmall } from "../columns/regular-file.ts";
import { userKey } from "./kept-files.ts";
import { removeQuietly } from "./output-file.ts";

/** Texts kept of one purpose; the oldest go first. */
const KEPT_MOST = 200;
const MAC_BYTES = 32;

/** @param purpose Lower-case letters: it names a folder. @param name Letters, digits, dots and dashes. */
export function readKeptText(purpose: string, name: string): string | undefined {
  const place = userKey();
  if (place === undefined) return undefined;
  try {
    const bytes = readSmall(join(place.folder, purpose, name), { followsLinks: false });
    const text = bytes.subarray(MAC_BYTES);
    const mac = macOf(place.key, purpose, name, text);
    return mac.equals(bytes.subarray(0, MAC_BYTES)) ? text.toString("utf8") : undefined;
  } catch {
    // None there, or not to be read.
    return undefined;
  }
}

/** Keep a text; nothing is kept where that cannot be, as on a full disk: the next run does without. */
export function writeKeptText(purpose: string, name: string, text: string): void {
  const place = userKey();
  if (place === undefined) return;
  const folder = join(place.folder, purpose);
  const partial = join(folder, `${name}.${crypto.randomUUID()}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const bytes = Buffer.from(text);
    writeFileSync(partial, Buffer.concat([macOf(place.key, purpose, name, bytes), bytes]), { flag: "wx", mode: 0o600 });
    renameSync(partial, join(folder, name));
    forgetOldest(folder);
  } catch {
    removeQuietly(partial);
  }
}

function macOf(key: Buffer, purpose: string, name: string, text: Uint8Array): Buffer {
  return new Bun.CryptoHasher("sha256", key).update(`text\0${purpose}\0${name}\0`).update(text).digest();
}

function forgetOldest(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= KEPT_MOST) return;
  const ages = names.map(name => ({ path: join(folder, name), ms: statSync(join(folder, name)).mtimeMs }));
  ages.sort((a, b) => b.ms - a.ms);
  for (const { path } of ages.slice(KEPT_MOST)) removeQuietly(path);
}
