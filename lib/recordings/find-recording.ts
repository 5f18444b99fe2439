/**
 * Recordings of a folder, by the name that a log says.
 *
 * Since 2018 Cowrie names a recording after the SHA-256 of what was typed, so equal typing has one file, that of whoever came
 * first. Before, names were times. A log is hostile: of the path it says only the last part counts, and only inside
 * the folder.
 */
import { readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { closing, openInput } from "../columns/regular-file.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { parseRecording, type Recording, RECORDING_MAX_BYTES } from "./recording.ts";

/** What Cowrie ever named a recording: a hash, or time, session and channel. */
const NAME = /^[A-Za-z0-9_.-]{1,200}$/;
/** Least letters of a hash that is given in part. */
const PREFIX_LEAST = 6;

/** The name inside a path of a log; undefined where it could be none of Cowrie's. */
export function recordingName(ttylog: string): string | undefined {
  const name = ttylog.slice(ttylog.lastIndexOf("/") + 1);
  return NAME.test(name) && !name.startsWith(".") ? name : undefined;
}

/** A folder of recordings, listed once, folders in it as well. */
export class RecordingFolder {
  readonly path: string;
  /** Name to path; of equal names the first by path. */
  readonly #paths = new Map<string, string>();

  /** @throws {Error} if it cannot be listed. */
  constructor(path: string) {
    this.path = path;
    try {
      const entries = readdirSync(path, { withFileTypes: true, recursive: true }).filter(entry => entry.isFile());
      for (const { name, parentPath } of entries.toSorted((a, b) => (a.parentPath < b.parentPath ? -1 : 1)))
        if (NAME.test(name) && !this.#paths.has(name)) this.#paths.set(name, join(parentPath, name));
    } catch (error) {
      throw new Error(`Cannot list the recordings in ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
    }
  }

  /** Path of the recording a log names; undefined if it is not here. */
  find(ttylog: string): string | undefined {
    const name = recordingName(ttylog);
    return name === undefined ? undefined : this.#paths.get(name);
  }

  /** The only recording whose name begins so; undefined where there is none, or more than one. */
  findByPrefix(prefix: string): string | undefined {
    if (prefix.length < PREFIX_LEAST) return undefined;
    const names = [...this.#paths.keys()].filter(name => name.startsWith(prefix));
    return names.length === 1 ? this.#paths.get(names[0]!) : undefined;
  }
}

/**
 * Read a recording from its file.
 *
 * @throws {Error} if it cannot be read or is none; the message names it.
 */
export function readRecording(path: string): Recording {
  try {
    const { bytes, isWhole } = readHead(path);
    return parseRecording(bytes, isWhole);
  } catch (error) {
    throw new Error(`Cannot read the recording ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
}

function readHead(path: string): { bytes: Uint8Array; isWhole: boolean } {
  const file = openInput(path);
  using _file = closing(file);
  const pieces: Buffer[] = [];
  for (let length = 0; length <= RECORDING_MAX_BYTES; ) {
    const piece = Buffer.alloc(1 << 16);
    const n = readSync(file, piece, 0, piece.length, null);
    if (n === 0) return { bytes: Buffer.concat(pieces), isWhole: true };
    pieces.push(piece.subarray(0, n));
    length += n;
  }
  return { bytes: Buffer.concat(pieces).subarray(0, RECORDING_MAX_BYTES), isWhole: false };
}
