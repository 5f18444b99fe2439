/**
 * Files of a host as streams of bytes, many of them in one answer, compressed on the way.
 *
 * Each file is followed by a mark nobody could have written into it, since it is made up anew for every request; so a
 * file that shrinks or vanishes while it is read is told from one that came whole.
 *
 * Tested in `test/lib/remote/download-logs.test.ts`.
 */
import { randomBytes } from "node:crypto";
import { AnswerError, type AnswerReader, type AnswerShape, type Wire } from "./answer.ts";
import type { RemoteTools } from "./list-logs.ts";
import type { Connection } from "../ssh/connection.ts";
import { quoteWord } from "../text/shell.ts";
import { SshError } from "../ssh/ssh-error.ts";

/** A piece of a file. */
export interface FetchPart {
  /** As the host has it, every byte one character. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** Have the host hash the file as well: so many first bytes of it, or all it is by then, which is quicker. */
  readonly hash?: number | "whole";
}

/** Whole small files, one behind the other and each of them hashed: three processes for all, not for each. */
export interface FetchGroup {
  /** As {@link isGroupable} takes them. */
  readonly paths: readonly string[];
  /** Bytes of all of them; where one of them has changed, they come cut in the wrong places. */
  readonly length: number;
}

/** Tell whether the hash of a file is told as it is: names with these characters are escaped. */
export function isGroupable(path: string): boolean {
  return !/[\\\n\r]/.test(path);
}

export interface FetchOptions {
  readonly wire: Wire;
  readonly sudo?: boolean;
  readonly signal?: AbortSignal;
  /** Silence taken for a dead host as of now, where the host calculates long. */
  readonly timeoutMs?: () => number;
  /** Told the bytes that came over the wire since the last call; waits for it. */
  readonly onWire?: (bytes: number) => void | Promise<void>;
}

/** Bytes a second that even a small machine unpacks and hashes. */
const HASH_RATE = 20e6;

/** How long a node may be silent that hashes so much. */
export function hashingMs(bytes: number): number {
  return (bytes / HASH_RATE) * 1000;
}

/** The quickest packing both sides know. */
export function chooseWire({ zstd, gzip }: RemoteTools): Wire {
  return zstd ? "zstd" : gzip ? "gzip" : "none";
}

/**
 * Fetch parts of files.
 *
 * @param read Makes the reader of the answer.
 * @throws {SshError} if the answer breaks off, or is none.
 */
export async function fetchParts(
  connection: Connection,
  parts: readonly (FetchPart | FetchGroup)[],
  read: (shape: AnswerShape) => AnswerReader,
  { wire, sudo = false, signal, timeoutMs, onWire }: FetchOptions,
): Promise<void> {
  const mark = randomBytes(16).toString("hex");
  const script = Buffer.from(fetchScript(parts, mark, wire), "latin1");
  const reader = read({ wire, mark, lengths: parts.map(({ length }) => length) });
  try {
    const { exitCode, stderr } = await connection.stream(
      script,
      async data => {
        await onWire?.(data.length);
        await reader.take(data);
      },
      { sudo, ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    );
    if (await reader.end()) return;
    const reason = stderr.trim().split("\n").at(-1) ?? "";
    throw new SshError("lost", `the answer broke off (status ${exitCode}${reason === "" ? "" : `, ${reason}`})`);
  } catch (error) {
    if (error instanceof AnswerError) throw new SshError("garbage", error.message, { cause: error });
    throw error;
  } finally {
    await reader.close();
  }
}

/** Files from this size on are worth the start of a quicker program to hash them. */
const QUICK_HASH_MIN_BYTES = 4 << 20;
/** Bytes read at a time: what a pipe holds. */
const BLOCK_BYTES = 1 << 16;

/** The command that writes all parts; its text has every byte of the paths as one character. */
function fetchScript(parts: readonly (FetchPart | FetchGroup)[], mark: string, wire: Wire): string {
  const lines = parts.map((part, i) => {
    const [read, hash] = "paths" in part ? groupCommands(part) : partCommands(part);
    return `${read}; printf '\\n%s %s %s\\n' ${mark} ${i} "${hash}"`;
  });
  const pack = wire === "zstd" ? " | nice zstd -1 -q -c" : wire === "gzip" ? " | nice gzip -1 -c" : "";
  return `{\n${QUICK_HASH}\n${lines.join("\n")}\n} 2>/dev/null${pack}\n`;
}

/** `quick` hashes with OpenSSL where that is there: it uses instructions of the processor that sha256sum does not. */
const QUICK_HASH = `
quick() {
  if command -v openssl >/dev/null; then openssl dgst -sha256 -r; else sha256sum; fi
}`;

function partCommands({ path, offset, length, hash }: FetchPart): [read: string, hash: string] {
  const name = quoteWord(path);
  // `tail` goes to its place without reading what is before it; `dd` takes half the time of `head`.
  const read =
    length === 0
      ? ":"
      : offset > 0
        ? `tail -c +${offset + 1} -- ${name} | head -c ${length}`
        : length < BLOCK_BYTES
          ? `head -c ${length} -- ${name}`
          : `{ dd bs=${BLOCK_BYTES} count=${Math.floor(length / BLOCK_BYTES)}; head -c ${length % BLOCK_BYTES}; } <${name}`;
  if (hash === undefined) return [read, ""];
  const program = offset + length < QUICK_HASH_MIN_BYTES ? "sha256sum" : "quick";
  return [read, hash === "whole" ? `$(${program} <${name})` : `$(head -c ${hash} -- ${name} | ${program})`];
}

function groupCommands({ paths, length }: FetchGroup): [read: string, hash: string] {
  const names = paths.map(quoteWord).join(" ");
  return [
    `cat -- ${names} | head -c ${length}`,
    // A log that is gone has no line, and so there are too few.
    `$(sha256sum -- ${names} | cut -c 1-64 | tr '\\n' ' ')`,
  ];
}
