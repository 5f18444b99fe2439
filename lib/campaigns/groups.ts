/**
 * Groups that grow together (union-find): items are numbers, two groups become one, each item tells its group.
 *
 * Tested in `test/lib/campaigns/near-chains.test.ts`.
 */
export class Groups {
  #parent: Int32Array;

  /** @param size Items, each a group of its own at first. */
  constructor(size: number) {
    this.#parent = new Int32Array(size).map((_, item) => item);
  }

  items(): Iterable<number> {
    return this.#parent.keys();
  }

  copy(): Groups {
    const copy = new Groups(0);
    copy.#parent = this.#parent.slice();
    return copy;
  }

  /** The smallest item of the group: the same whatever order groups were joined in. */
  find(item: number): number {
    const parent = this.#parent;
    let root = item;
    while (parent[root]! !== root) root = parent[root]!;
    // Halve the way for whoever asks next.
    for (let at = item; parent[at]! !== root; ) {
      const next = parent[at]!;
      parent[at] = root;
      at = next;
    }
    return root;
  }

  /** @returns Whether they were two. */
  join(a: number, b: number): boolean {
    const [first, second] = [this.find(a), this.find(b)];
    if (first === second) return false;
    if (first < second) this.#parent[second] = first;
    else this.#parent[first] = second;
    return true;
  }
}
