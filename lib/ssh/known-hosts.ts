/**
 * Host keys that are known: reads, asks and adds to files in the format of OpenSSH's known_hosts.
 *
 * Neither ssh2 nor node-ssh knows such files: without this every key would be accepted.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { matchesGlob } from "../text/glob.ts";
import { closing } from "../columns/regular-file.ts";

/** One line of a file. */
export interface KnownKey {
  /** "@revoked" or "@cert-authority". */
  readonly marker: string | undefined;
  /** Patterns with commas between them, or `|1|salt|hash`. */
  readonly hosts: string;
  /** "ssh-ed25519" */
  readonly type: string;
  /** The key as it goes over the wire. */
  readonly key: Buffer;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/**
 * What the files say of a key: "changed" = they name other keys for this host, "unknown" = they do not name the host,
 * "revoked" = nobody may trust this key any more.
 */
export type KeyVerdict = "known" | "unknown" | "changed" | "revoked";

export interface KeyCheck {
  readonly verdict: KeyVerdict;
  /** The line that decided, if it was one. */
  readonly entry: KnownKey | undefined;
}

/** Read the lines of a file; what is no key is passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file = ""): KnownKey[] {
  const keys: KnownKey[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const fields = line.split(/\s+/);
    const marker = fields[0]!.startsWith("@") ? fields.shift() : undefined;
    const [hosts, type, base64] = fields;
    if (hosts === undefined || type === undefined || base64 === undefined) continue;
    const key = Buffer.from(base64, "base64");
    if (key.length > 0) keys.push({ marker, hosts, type, key, file, line: i + 1 });
  }
  return keys;
}

/** Read files that may not exist. */
export function readKnownHosts(files: readonly string[]): KnownKey[] {
  return files.flatMap(file => (existsSync(file) ? parseKnownHosts(readFileSync(file, "utf8"), file) : []));
}

/** Name under which a host stands in the files: `host`, or `[host]:port` where the port is not 22. */
export function knownName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Tell whether a line speaks of a host. */
export function matchesHost(hosts: string, host: string, port: number): boolean {
  const name = knownName(host, port);
  if (hosts.startsWith("|1|")) {
    const [, , salt = "", hash = ""] = hosts.split("|");
    const wanted = Buffer.from(hash, "base64");
    const found = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
    return wanted.length === found.length && timingSafeEqual(wanted, found);
  }
  let isMatch = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    const isNegated = pattern.startsWith("!");
    if (!matchesGlob(isNegated ? pattern.slice(1) : pattern, name)) continue;
    // A negated pattern overrules all others of its line.
    if (isNegated) return false;
    isMatch = true;
  }
  return isMatch;
}

/** Hold a key against all lines. */
export function checkHostKey(keys: readonly KnownKey[], host: string, port: number, key: Buffer): KeyCheck {
  const matching = keys.filter(({ hosts }) => matchesHost(hosts, host, port));
  const revoked = matching.find(entry => entry.marker === "@revoked" && entry.key.equals(key));
  if (revoked !== undefined) return { verdict: "revoked", entry: revoked };
  // Certificates of hosts are nothing ssh2 can check, so an authority's line vouches for no key.
  const plain = matching.filter(({ marker }) => marker === undefined);
  const same = plain.find(entry => entry.key.equals(key));
  if (same !== undefined) return { verdict: "known", entry: same };
  return { verdict: plain.length > 0 ? "changed" : "unknown", entry: plain[0] };
}

const KEY_ALGORITHMS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/**
 * Algorithms to offer, those of the keys known for this host first.
 *
 * A server with keys of several types shows the first one both sides want; another one than the known one would look
 * like a change.
 */
export function orderKeyAlgorithms(keys: readonly KnownKey[], host: string, port: number): KeyAlgorithm[] {
  const types = new Set(
    keys.filter(({ marker, hosts }) => marker === undefined && matchesHost(hosts, host, port)).map(({ type }) => type),
  );
  const isKnown = (name: string) => types.has(name) || (name.startsWith("rsa-") && types.has("ssh-rsa"));
  return [...KEY_ALGORITHMS.filter(isKnown), ...KEY_ALGORITHMS.filter(name => !isKnown(name))];
}


/** Type of a key in wire format; its first field. */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.subarray(4, 4 + length).toString("latin1");
}

/**
 * Add a key to the end of a file, which is made if it is not there.
 *
 * @returns The line as it can be asked from now on.
 * @throws {Error} if the file cannot be written.
 */
export function addKnownHost(file: string, host: string, port: number, key: Buffer): KnownKey {
  const type = keyType(key);
  const hosts = knownName(host, port);
  // Both become part of a file that decides whom to trust.
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(hosts) || !/^[a-z0-9@.-]+$/.test(type)) {
    throw new Error(`Cannot record the key of ${JSON.stringify(host)}: expected a plain name and type`);
  }
  if (!existsSync(dirname(file))) {
    mkdirSync(dirname(file), { recursive: true });
    chmodSync(dirname(file), 0o700);
  }
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  const handle = openSync(file, "a", 0o600);
  using _handle = closing(handle);
  // One write: two programs that add lines at the same time do not mix them.
  writeSync(handle, `${gap}${hosts} ${type} ${key.toString("base64")}\n`);
  return { marker: undefined, hosts, type, key, file, line: text.split("\n").length + (gap === "" ? 0 : 1) };
}
