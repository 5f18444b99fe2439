/**
 * The last counts that came from a node, kept here: while its logs are what they were, nothing is asked of it again.
 *
 * They are reused only where logs (path, size, time, inode), options and programs are the same, and only if this user's
 * own toolkit has written the file.
 *
 * Tested in `test/lib/remote/reduce-on-node.test.ts`.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { openRegularHandle } from "../columns/regular-file.ts";
import { verifyKept, writeKept } from "../process/kept-files.ts";
import { partialPathOf, removeQuietly } from "../process/output-file.ts";

export interface NodeAnswer {
  /** Counts as an Arrow stream; empty where no log holds an event. */
  readonly table: Buffer;
  /** Rejected lines, if they were asked for. */
  readonly rejects: Buffer;
  /** Some of its logs were damaged or held no event. */
  readonly isPartial: boolean;
}

const NODE_COUNTS = "counts of a node";
/** Digest, length of the table, and whether logs were damaged or empty; then the table, then the rejects. */
const HEAD_BYTES = 32 + 8 + 1;

/**
 * Read what was kept.
 *
 * @param question Everything the answer depends on, in JSON.
 * @returns undefined if there is nothing, or it is the answer to another question.
 */
export async function readKeptCounts(path: string, question: unknown): Promise<NodeAnswer | undefined> {
  const state = verifyKept(path, NODE_COUNTS);
  if (state === undefined) return undefined;
  try {
    const { handle } = await openRegularHandle(path, state);
    await using _handle = handle;
    const head = Buffer.alloc(HEAD_BYTES);
    await handle.read(head, 0, HEAD_BYTES, 0);
    if (!head.subarray(0, 32).equals(digestOf(question))) return undefined;
    const rest = (await handle.readFile()).subarray(HEAD_BYTES);
    const tableBytes = Number(head.readBigUInt64LE(32));
    return { table: rest.subarray(0, tableBytes), rejects: rest.subarray(tableBytes), isPartial: head[40] === 1 };
  } catch {
    // Gone or changed in the meantime: the node is asked.
    return undefined;
  }
}

/** Keep an answer in the place of the one before; where that cannot be, the node is asked again the next time. */
export function keepCounts(path: string, question: unknown, { table, rejects, isPartial }: NodeAnswer): void {
  const partial = partialPathOf(path);
  const head = Buffer.alloc(HEAD_BYTES);
  digestOf(question).copy(head);
  head.writeBigUInt64LE(BigInt(table.length), 32);
  head[40] = Number(isPartial);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeKept(partial, NODE_COUNTS, [head, table, rejects], { mode: 0o600, name: path });
  } catch {
    removeQuietly(partial);
  }
}

function digestOf(question: unknown): Buffer {
  return Buffer.from(new Bun.CryptoHasher("sha256").update(JSON.stringify(question)).digest());
}
