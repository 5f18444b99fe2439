/**
 * Logs dealt out into parts of equal work, for whoever reduces them side by side.
 *
 * Any split gives the same counts once the parts are combined: a line that a rotation cut in two is joined then, and sessions
 * over several logs are settled. So nothing has to stay together, and the parts are balanced by bytes alone.
 */
import { readSync, statSync } from "node:fs";
import { closing, openRegular } from "../columns/regular-file.ts";
import { comparePaths } from "../events/source.ts";

/** Text to a byte of a compressed log: Cowrie's logs repeat themselves, and 8 to 15 are common. */
const TEXT_PER_COMPRESSED_BYTE = 10;
/** What a log costs by itself, in bytes of text: it is opened, its table is written. */
const BYTES_PER_LOG = 100_000;

export interface PlanPart {
  /** In natural order. */
  readonly paths: readonly string[];
  /** Work, as bytes of text. */
  readonly bytes: number;
}

/** Bytes of text that a log is worth; a compressed one is told by its first bytes. */
export function workOf(path: string): number {
  const { size } = statSync(path);
  const file = openRegular(path);
  using _file = closing(file);
  const head = new Uint8Array(4);
  readSync(file, head, 0, 4, 0);
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const isZstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  return BYTES_PER_LOG + size * (isGzip || isZstd ? TEXT_PER_COMPRESSED_BYTE : 1);
}

/**
 * Deal logs out, the largest first, each to the part that has least: no part is more than a third above what is possible
 * (Graham 1969).
 *
 * @param parts Wanted; there are never more than logs.
 * @returns The same for the same logs, in whatever order they come.
 */
export function planParts(logs: readonly { readonly path: string; readonly bytes: number }[], parts: number): PlanPart[] {
  const dealt = Array.from({ length: Math.min(parts, logs.length) }, () => ({ paths: [] as string[], bytes: 0 }));
  const heap = new LeastFirst(dealt);
  for (const { path, bytes } of logs.toSorted((a, b) => b.bytes - a.bytes || comparePaths(a.path, b.path))) {
    const least = heap.least;
    least.paths.push(path);
    least.bytes += bytes;
    heap.sink();
  }
  return dealt.map(part => ({ ...part, paths: part.paths.sort(comparePaths) }));
}

/** A binary heap of parts by their bytes, equal ones by number; all that is ever changed is the least. */
class LeastFirst {
  readonly #heap: { readonly part: { paths: string[]; bytes: number }; readonly number: number }[];

  constructor(parts: readonly { paths: string[]; bytes: number }[]) {
    this.#heap = parts.map((part, number) => ({ part, number }));
  }

  get least() {
    return this.#heap[0]!.part;
  }

  /** Put the first where it belongs after it has grown. */
  sink(): void {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      let next = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && this.#isLess(child, next)) next = child;
      if (next === at) return;
      [heap[at], heap[next]] = [heap[next]!, heap[at]!];
      at = next;
    }
  }

  #isLess(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a]!, this.#heap[b]!];
    return x.part.bytes < y.part.bytes || (x.part.bytes === y.part.bytes && x.number < y.number);
  }
}
