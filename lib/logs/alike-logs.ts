/**
 * Logs that share their first line: which of those that are kept may hold the beginning of which, however many share how much.
 *
 * Tested in `test/lib/logs/find-logs.test.ts` and `text-tree.test.ts`.
 */
import type { LogHead } from "../events/text-hash.ts";
import { arrangeTexts, type TextNode, type TextTree } from "./text-tree.ts";

export class AlikeLogs {
  readonly #tree: TextTree;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #paths: readonly string[];
  readonly #places: ReadonlyMap<TextNode, { readonly first: number; readonly end: number }>;
  /** Of each node, those kept. */
  readonly #kept = new Map<TextNode, Set<string>>();
  /** Nodes of which one was seen, or of whose longer ones: of those that are only beginnings none is kept. */
  readonly #seen = new Set<TextNode>();
  readonly #firsts: LeastOf;

  private constructor(paths: readonly string[], tree: TextTree) {
    this.#tree = tree;
    this.#paths = paths;
    this.#numbers = new Map(paths.map((path, i) => [path, i]));
    this.#places = placesOf(tree.nodes);
    this.#firsts = new LeastOf(tree.nodes.length);
  }

  /** @param heads What was seen of each of them. */
  static async sort(paths: readonly string[], heads: ReadonlyMap<string, LogHead>): Promise<AlikeLogs> {
    return new AlikeLogs(paths, await arrangeTexts(paths, heads));
  }

  add(path: string): void {
    const node = this.#tree.nodeOf.get(path)!;
    this.#kept.set(node, (this.#kept.get(node) ?? new Set()).add(path));
    this.#note(node);
    for (let at: TextNode | undefined = node; at !== undefined && !this.#seen.has(at); at = at.parent) this.#seen.add(at);
  }

  remove(path: string): void {
    const node = this.#tree.nodeOf.get(path)!;
    this.#kept.get(node)!.delete(path);
    this.#note(node);
  }

  #note(node: TextNode): void {
    const [first] = this.#kept.get(node)!;
    this.#firsts.set(this.#places.get(node)!.first, first === undefined ? Infinity : this.#numbers.get(first)!);
  }

  /** Those kept that may hold the beginning of a log, the first of them; or else those that it may begin with. */
  like(path: string): string[] {
    const { nodeOf, broken } = this.#tree;
    const node = nodeOf.get(path)!;
    const kept = [...(this.#kept.get(node) ?? [])];
    if (!node.isText) return kept.length > 0 ? kept : this.#keptAbove(node);
    // What cannot be read to its end is the same as nothing.
    const same = broken.has(path) ? undefined : kept.find(other => !broken.has(other));
    if (same !== undefined) return [same];
    const { first, end } = this.#places.get(node)!;
    const longer = this.#firsts.least(first + 1, end);
    return longer === Infinity ? this.#keptAbove(node) : [this.#paths[longer]!];
  }

  /** The nearest beginning that was seen; above it none is kept, as it holds the beginning of all these. */
  #keptAbove(node: TextNode): string[] {
    if (this.#seen.has(node)) return [];
    let at = node.parent;
    while (at !== undefined && !this.#seen.has(at)) at = at.parent;
    return at === undefined ? [] : [...(this.#kept.get(at) ?? [])];
  }
}

/** A number for each node, so that all below it have those up to `end`. */
function placesOf(nodes: readonly TextNode[]): Map<TextNode, { first: number; end: number }> {
  const sizes = new Map(nodes.map(node => [node, 1]));
  for (const node of nodes.toReversed()) {
    if (node.parent !== undefined) sizes.set(node.parent, sizes.get(node.parent)! + sizes.get(node)!);
  }
  const places = new Map<TextNode, { first: number; end: number }>();
  // Where the next child of each goes; of those without a parent, at the top.
  const next = new Map<TextNode | undefined, number>([[undefined, 0]]);
  for (const node of nodes) {
    const first = next.get(node.parent)!;
    const size = sizes.get(node)!;
    places.set(node, { first, end: first + size });
    next.set(node.parent, first + size);
    next.set(node, first + 1);
  }
  return places;
}

/** Numbers of which the least of any stretch is found in log n steps; infinite until they are set. */
class LeastOf {
  readonly #tree: Float64Array;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.#tree = new Float64Array(2 * size).fill(Infinity);
  }

  set(at: number, value: number): void {
    let node = at + this.#size;
    this.#tree[node] = value;
    for (node >>= 1; node > 0; node >>= 1) this.#tree[node] = Math.min(this.#tree[2 * node]!, this.#tree[2 * node + 1]!);
  }

  /** Of `[start, end)`. */
  least(start: number, end: number): number {
    let least = Infinity;
    for (let [low, high] = [start + this.#size, end + this.#size]; low < high; low >>= 1, high >>= 1) {
      if (low & 1) least = Math.min(least, this.#tree[low++]!);
      if (high & 1) least = Math.min(least, this.#tree[--high]!);
    }
    return least;
  }
}
