/**
 * Which texts begin with which, among logs that begin alike: a tree in which each stands below the longest that it begins with.
 *
 * Thousands may share megabytes, and whoever wrote them chose how long. So they are not held against each other: each is read up
 * to where it is unlike the others or ends, four times as far in every round. Hashes tell which go on alike; what ends inside
 * a piece is sorted by the few bytes it has there, and looked up in that piece of the others. That is linear in the bytes they
 * share, n log n in the texts that end. A hash proves nothing: whoever goes by the tree compares.
 */
import { closing } from "../columns/regular-file.ts";
import { openText } from "../events/log-text.ts";
import { HEAD_BYTES, type LogHead } from "../events/text-hash.ts";
import { pauseNowAndThen } from "../process/pause.ts";

/** How much further each round reads: what is packed is unpacked from its start in each. */
const GROWTH = 4;
/** Bytes of the least pieces that are hashed, and how many there are in a round at most. */
const PIECE_BYTES = 4096;
const PIECES_MAX = 512;
/** So few are sooner compared each with each: of a log and its copy every round would read both once more. */
const FEW_LOGS = 8;

/** Logs of one text; or a few that begin alike, and nobody knows how they go on. */
export interface TextNode {
  /** Of the longest text that these begin with. */
  readonly parent: TextNode | undefined;
  readonly isText: boolean;
}

export interface TextTree {
  /** Parents first. */
  readonly nodes: readonly TextNode[];
  readonly nodeOf: ReadonlyMap<string, TextNode>;
  /** Logs that could not be read to their end: their text is what came before. */
  readonly broken: ReadonlySet<string>;
}

/** Logs that are the same up to `from`. */
interface Group {
  readonly logs: readonly string[];
  readonly from: number;
  /** Hash of what they share. */
  readonly hash: bigint;
  readonly parent: TextNode | undefined;
}

/** What a round saw of a log. */
interface Part {
  readonly log: string;
  /** `hashes[i]` = of all text before piece `i` of the round; the last one of all whole pieces. */
  readonly hashes: BigUint64Array;
  /** What stands behind the last whole piece of a text that ends there; undefined where it goes on. */
  readonly rest: Uint8Array | undefined;
}

/** A text that ends in a piece. */
interface Ending {
  readonly rest: Uint8Array;
  /** The longest other one of the piece that this one begins with. */
  readonly shorter: Ending | undefined;
  readonly node: TextNode;
}

/**
 * Arrange texts.
 *
 * @param paths Logs of one first line.
 * @param heads What was seen of each of them.
 */
export async function arrangeTexts(paths: readonly string[], heads: ReadonlyMap<string, LogHead>): Promise<TextTree> {
  const sorter = new TextSorter();
  const hash = crypto.getRandomValues(new BigUint64Array(1))[0]!;
  const blocks = Map.groupBy(paths, path => heads.get(path)!.blockHash);
  if (blocks.has(undefined)) sorter.put({ logs: paths, from: 0, hash, parent: undefined });
  // Long ones alone are told apart by their hashes.
  else for (const logs of blocks.values()) sorter.put({ logs, from: HEAD_BYTES, hash, parent: undefined });
  await sorter.sort();
  return sorter;
}

class TextSorter implements TextTree {
  readonly nodes: TextNode[] = [];
  readonly nodeOf = new Map<string, TextNode>();
  readonly broken = new Set<string>();
  readonly #groups: Group[] = [];

  put(group: Group): void {
    if (group.logs.length > (group.from === 0 ? 1 : FEW_LOGS)) this.#groups.push(group);
    else this.#add(group.logs, group.parent, false);
  }

  async sort(): Promise<void> {
    for (let group = this.#groups.pop(); group !== undefined; group = this.#groups.pop()) await this.#sortGroup(group);
  }

  #add(logs: readonly string[], parent: TextNode | undefined, isText: boolean): TextNode {
    const node = { parent, isText };
    this.nodes.push(node);
    for (const log of logs) this.nodeOf.set(log, node);
    return node;
  }

  /** One round: what ends gets its node, what goes on alike is put by for the next. */
  async #sortGroup({ logs, from, hash, parent }: Group): Promise<void> {
    const to = from === 0 ? HEAD_BYTES : GROWTH * from;
    const pieceBytes = Math.max(PIECE_BYTES, to / PIECES_MAX);
    const parts: Part[] = [];
    for (const log of logs) parts.push(await this.#readPart(log, readPieces(log, from, to, pieceBytes), pieceBytes, hash));

    const endings = new Map<bigint, Ending[]>();
    const parentOf = async ({ log, hashes }: Part): Promise<TextNode | undefined> => {
      const ends = Array.from(hashes, before => endings.get(before));
      const last = ends.findLastIndex(end => end !== undefined);
      if (last < 0) return parent;
      return (await findOpening(readPieces(log, from, from + (last + 1) * pieceBytes, pieceBytes), ends)) ?? parent;
    };
    const byLast = Map.groupBy(parts, ({ hashes, rest }) => (rest === undefined ? undefined : hashes.at(-1)!));
    const goOn = byLast.get(undefined) ?? [];
    byLast.delete(undefined);
    // Those that end in the first pieces come first: others begin with them.
    for (const [before, ended] of [...byLast].sort(([, [a]], [, [b]]) => a!.hashes.length - b!.hashes.length)) {
      const sorted: Ending[] = [];
      for (const { parts: same, shorter } of sortEndings(ended)) {
        const above = shorter === undefined ? await parentOf(same[0]!) : sorted[shorter]!.node;
        const node = this.#add(same.map(({ log }) => log), above, true);
        sorted.push({ rest: same[0]!.rest!, shorter: shorter === undefined ? undefined : sorted[shorter]!, node });
      }
      endings.set(before!, sorted);
    }
    for (const [before, alike] of Map.groupBy(goOn, ({ hashes }) => hashes.at(-1)!)) {
      this.put({ logs: alike.map(({ log }) => log), from: to, hash: before, parent: await parentOf(alike[0]!) });
    }
  }

  async #readPart(log: string, pieces: AsyncIterable<Uint8Array>, pieceBytes: number, start: bigint): Promise<Part> {
    const hashes = [start];
    let rest: Uint8Array | undefined;
    try {
      for await (const piece of pieces) {
        if (piece.length === pieceBytes) hashes.push(Bun.hash.xxHash3(piece, hashes.at(-1)!));
        else rest = piece.slice();
      }
    } catch {
      // What keeps it from being read is said when it is read.
      this.broken.add(log);
      rest ??= new Uint8Array(0);
    }
    return { log, hashes: BigUint64Array.from(hashes), rest };
  }
}

/**
 * The text of a log from one place to another in pieces that hold until the next is asked for; where it ends before, the last is
 * shorter, and may be empty.
 *
 * @throws {Error} where it cannot be read, behind what came before.
 */
async function* readPieces(log: string, from: number, to: number, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const text = openText(log);
  using _text = closing(text);
  const piece = new Uint8Array(pieceBytes);
  for (let at = 0; at < from; ) {
    const n = await text.read(piece, 0, Math.min(pieceBytes, from - at));
    if (n === 0) break;
    at += n;
  }
  for (let at = from; at < to; at += pieceBytes) {
    const n = await text.read(piece, 0, pieceBytes);
    yield piece.subarray(0, n);
    await pauseNowAndThen();
    if (n === pieceBytes) continue;
    // Damaged data fail behind the last that could be had.
    await text.read(piece, 0, 1);
    return;
  }
}

/**
 * Texts by their last bytes: what begins with another stands behind it in this order, and nothing else between.
 *
 * @returns Those of equal bytes together; `shorter` = place of the longest other one that they begin with.
 */
function sortEndings(ended: readonly Part[]): { readonly parts: Part[]; readonly shorter: number | undefined }[] {
  const sorted: { parts: Part[]; shorter: number | undefined }[] = [];
  for (const part of ended.toSorted((a, b) => Buffer.compare(a.rest!, b.rest!))) {
    let at = sorted.length > 0 ? sorted.length - 1 : undefined;
    while (at !== undefined && !beginsWith(part.rest!, sorted[at]!.parts[0]!.rest!)) at = sorted[at]!.shorter;
    if (at !== undefined && sorted[at]!.parts[0]!.rest!.length === part.rest!.length) sorted[at]!.parts.push(part);
    else sorted.push({ parts: [part], shorter: at });
  }
  return sorted;
}

/** The longest of the texts that end in some pieces, that a text begins with. */
async function findOpening(pieces: AsyncIterable<Uint8Array>, endings: readonly (readonly Ending[] | undefined)[]): Promise<TextNode | undefined> {
  let found: TextNode | undefined;
  let i = 0;
  try {
    for await (const piece of pieces) found = longestOpening(endings[i++] ?? [], piece)?.node ?? found;
  } catch {
    // As far as it could be read.
  }
  return found;
}

function longestOpening(sorted: readonly Ending[], text: Uint8Array): Ending | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(sorted[middle]!.rest, text) <= 0) low = middle + 1;
    else high = middle;
  }
  // Whatever the text begins with, the last that does not stand behind it begins with, too.
  let at: Ending | undefined = sorted[low - 1];
  const shared = at === undefined ? 0 : sharedBytes(at.rest, text);
  while (at !== undefined && at.rest.length > shared) at = at.shorter;
  return at;
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

function beginsWith(text: Uint8Array, opening: Uint8Array): boolean {
  return opening.length <= text.length && Buffer.compare(opening, text.subarray(0, opening.length)) === 0;
}
