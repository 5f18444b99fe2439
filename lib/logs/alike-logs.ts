/**
 * Logs that share their first line: which of them may hold the beginning of which.
 *
 * Thousands may share it, and whoever wrote it chose what follows. So not each is held against each: their openings are
 * sorted, and behind a short log stand all that begin with it.
 *
 * Tested in `test/lib/logs/find-logs.test.ts`.
 */
import { type LogHead, readOpening } from "../events/text-hash.ts";
import { pauseNowAndThen } from "../process/pause.ts";

/** Logs whose openings are the same. */
interface Opening {
  /** The longest short log that this one begins with. */
  readonly shorter: Opening | undefined;
  /** Those that are kept so far, and those of all openings that begin with this one. */
  readonly kept: Set<string>;
  readonly longer: Set<string>;
}

export class AlikeLogs {
  readonly #openings: ReadonlyMap<string, Opening>;

  private constructor(openings: ReadonlyMap<string, Opening>) {
    this.#openings = openings;
  }

  /** @param heads What was seen of each of them. */
  static async sort(paths: readonly string[], heads: ReadonlyMap<string, LogHead>): Promise<AlikeLogs> {
    const blocks = paths.map(path => heads.get(path)!.blockHash);
    // Long ones alone are told apart by their hashes.
    return new AlikeLogs(paths.length > 1 && blocks.includes(undefined) ? await sortOpenings(paths) : groupBlocks(paths, blocks));
  }

  add(path: string): void {
    const own = this.#openings.get(path)!;
    own.kept.add(path);
    for (let at = own.shorter; at !== undefined; at = at.shorter) at.longer.add(path);
  }

  remove(path: string): void {
    const own = this.#openings.get(path)!;
    own.kept.delete(path);
    for (let at = own.shorter; at !== undefined; at = at.shorter) at.longer.delete(path);
  }

  /** Those kept that may hold the beginning of a log, or begin with it. */
  *like(path: string): Generator<string> {
    const own = this.#openings.get(path)!;
    yield* own.kept;
    for (let at = own.shorter; at !== undefined; at = at.shorter) yield* at.kept;
    yield* own.longer;
  }
}

function newOpening(shorter?: Opening): Opening {
  return { shorter, kept: new Set(), longer: new Set() };
}

function groupBlocks(paths: readonly string[], blocks: readonly (string | undefined)[]): Map<string, Opening> {
  const byBlock = new Map(blocks.map(block => [block, newOpening()]));
  return new Map(paths.map((path, i) => [path, byBlock.get(blocks[i])!]));
}

/** What begins with another text stands behind it in the order of bytes, and nothing else between. */
async function sortOpenings(paths: readonly string[]): Promise<Map<string, Opening>> {
  const texts: { readonly path: string; readonly text: Uint8Array }[] = [];
  const openings = new Map<string, Opening>();
  for (const path of paths) {
    // What can no longer be read is like nothing; its own reading will say so.
    const text = await readOpening(path).catch(() => undefined);
    if (text === undefined) openings.set(path, newOpening());
    else texts.push({ path, text });
    await pauseNowAndThen();
  }
  texts.sort((a, b) => Buffer.compare(a.text, b.text));
  const open: { readonly text: Uint8Array; readonly opening: Opening }[] = [];
  for (const { path, text } of texts) {
    while (open.length > 0 && !beginsWith(text, open.at(-1)!.text)) open.pop();
    const last = open.at(-1);
    const isSame = last?.text.length === text.length;
    const opening = isSame ? last!.opening : newOpening(last?.opening);
    openings.set(path, opening);
    if (!isSame) open.push({ text, opening });
  }
  return openings;
}

function beginsWith(text: Uint8Array, opening: Uint8Array): boolean {
  return opening.length <= text.length && Buffer.compare(opening, text.subarray(0, opening.length)) === 0;
}
