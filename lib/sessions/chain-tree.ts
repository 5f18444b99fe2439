/**
 * Chains of commands as a tree: a chain is a node, its last command and the chain before it, so that equal chains are one
 * number and what they begin with in common is kept once.
 *
 * Tested in `test/lib/sessions/chain-counts.test.ts`.
 */

/** Stands for what is typed behind the last position. */
const CUT = -1;
/** No chain: nothing was typed. */
export const NO_CHAIN = 0;

export class ChainTree {
  readonly #steps: number;
  readonly #children = new Map<number, number>();
  readonly #parent: number[] = [-1];
  readonly #last: number[] = [-1];
  readonly #depth: number[] = [0];

  /** @param steps Positions of a chain; what is typed behind the last is not told apart. */
  constructor(steps: number) {
    this.#steps = steps;
  }

  /** One more than the largest chain. */
  get size(): number {
    return this.#parent.length;
  }

  /** The chain with more commands behind it; repeats in a row count once. */
  extend(chain: number, codes: Iterable<number>): number {
    let at = chain;
    for (const code of codes) {
      if (at !== NO_CHAIN && this.#last[at] === CUT) break;
      if (code === this.#last[at]) continue;
      at = this.#child(at, this.#depth[at]! >= this.#steps ? CUT : code);
    }
    return at;
  }

  /** A chain before another one, which may be of another tree. */
  join(first: number, second: number, tree: ChainTree = this): number {
    const { commands, isCut } = tree.read(second);
    return this.extend(first, isCut ? [...commands, CUT] : commands);
  }

  /** Commands of a chain, and whether more were typed behind them. */
  read(chain: number): { readonly commands: readonly number[]; readonly isCut: boolean } {
    const commands: number[] = [];
    const isCut = chain !== NO_CHAIN && this.#last[chain] === CUT;
    for (let at = isCut ? this.#parent[chain]! : chain; at > 0; at = this.#parent[at]!) commands.push(this.#last[at]!);
    return { commands: commands.reverse(), isCut };
  }

  #child(parent: number, code: number): number {
    // Codes and chains stay far below 2^26, so that both fit a number.
    const key = parent * 2 ** 26 + code + 1;
    let child = this.#children.get(key);
    if (child === undefined) {
      child = this.#parent.push(parent) - 1;
      this.#last.push(code);
      this.#depth.push(this.#depth[parent]! + 1);
      this.#children.set(key, child);
    }
    return child;
  }
}
