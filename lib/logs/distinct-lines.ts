/**
 * Lines seen, by hash and time: tells whether a line of one log stands in an earlier log too.
 *
 * Equal lines have equal times, so two different lines are taken for one only if 53 bits of hash agree within the same
 * microsecond.
 */
export class LineSet {
  size = 0;
  #hashes = new Float64Array(1 << 16);
  #times = new Float64Array(1 << 16).fill(NaN);

  has(hash: number, timestampUs: number): boolean {
    return !Number.isNaN(this.#times[this.#find(hash, timestampUs)]!);
  }

  add(hash: number, timestampUs: number): void {
    const slot = this.#find(hash, timestampUs);
    if (!Number.isNaN(this.#times[slot]!)) return;
    this.#hashes[slot] = hash;
    this.#times[slot] = timestampUs;
    this.size++;
    if (this.size * 2 > this.#hashes.length) this.#grow();
  }

  /** The slot of a line, or the free one where it belongs (time NaN). */
  #find(hash: number, timestampUs: number): number {
    const mask = this.#hashes.length - 1;
    // The time counts too: the elements of an array share the hash of their one line.
    let slot = (hash ^ Math.imul(timestampUs, 0x9e3779b1)) & mask;
    while (!Number.isNaN(this.#times[slot]!) && !(this.#hashes[slot] === hash && this.#times[slot] === timestampUs)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [hashes, times] = [this.#hashes, this.#times];
    this.#hashes = new Float64Array(hashes.length * 2);
    this.#times = new Float64Array(times.length * 2).fill(NaN);
    this.size = 0;
    for (let slot = 0; slot < hashes.length; slot++) {
      if (!Number.isNaN(times[slot]!)) this.add(hashes[slot]!, times[slot]!);
    }
  }
}
