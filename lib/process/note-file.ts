/**
 * A file of notes, 16 bytes each, to which several processes append: known are those that were in it when it was looked at
 * last, and each look reads no more than what came since.
 *
 * Notes are digests, so their first bytes are as good a hash as any; a set of strings takes thirty times as long to make.
 */
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { closing, openRegular } from "../columns/regular-file.ts";
import { removeQuietly } from "./output-file.ts";

export const NOTE_BYTES = 16;
/** Notes on a million files; then the older half is forgotten. */
const NOTES_MAX_BYTES = 32 << 20;

export class NoteFile {
  readonly #path: string;
  readonly #maxBytes: number;
  /** The file that was read, and how much of it. */
  #inode = -1n;
  #readBytes = 0;
  #notes = Buffer.alloc(0);
  #size = 0;
  /** Open addressing with linear probing; 0 = free, else the number of a note, from 1. A power of two, at most half full. */
  #slots = new Int32Array(1 << 8);

  constructor(path: string, maxBytes = NOTES_MAX_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Whether a note is known; where it is not, another process may have made it since. */
  has(note: Buffer): boolean {
    return this.#slots[this.#slotOf(note)] !== 0;
  }

  /** The same after a look at the file. */
  hasByNow(note: Buffer): boolean {
    if (!this.has(note)) this.#readOn();
    return this.has(note);
  }

  /** Append a note. */
  add(note: Buffer): void {
    this.#insert(note);
    const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    try {
      const file = openSync(this.#path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0o600);
      using _file = closing(file);
      writeSync(file, note);
      if (fstatSync(file).size > this.#maxBytes) this.#forgetOldest();
    } catch {
      // A full disk, a folder that is read-only by now: what is not noted is made anew or verified the next time.
    }
  }

  /** Read what came since the last look. */
  #readOn(): void {
    let file: number;
    try {
      file = openRegular(this.#path, { followsLinks: false });
    } catch {
      // None yet.
      return;
    }
    try {
      const { ino, size } = fstatSync(file, { bigint: true });
      const sizeBytes = Number(size);
      // A disk that was full in the middle of a note: those behind it would never be found.
      if (sizeBytes % NOTE_BYTES !== 0) return removeQuietly(this.#path);
      if (ino !== this.#inode || sizeBytes < this.#readBytes) this.#readBytes = 0;
      this.#inode = ino;
      const fresh = Buffer.alloc(sizeBytes - this.#readBytes);
      const n = readSync(file, fresh, 0, fresh.length, this.#readBytes);
      const whole = n - (n % NOTE_BYTES);
      for (let at = 0; at < whole; at += NOTE_BYTES) this.#insert(fresh.subarray(at, at + NOTE_BYTES));
      this.#readBytes += whole;
    } catch {
      // It cannot be read: nothing in it is known.
    } finally {
      closeSync(file);
    }
  }

  #slotOf(note: Buffer): number {
    const mask = this.#slots.length - 1;
    let slot = note.readInt32LE(0) & mask;
    for (let number = this.#slots[slot]!; number !== 0; number = this.#slots[slot]!) {
      const at = (number - 1) * NOTE_BYTES;
      if (this.#notes.compare(note, 0, NOTE_BYTES, at, at + NOTE_BYTES) === 0) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #insert(note: Buffer): void {
    const slot = this.#slotOf(note);
    if (this.#slots[slot] !== 0) return;
    const at = this.#size * NOTE_BYTES;
    if (at === this.#notes.length) this.#notes = Buffer.concat([this.#notes], Math.max(1 << 12, 2 * at));
    note.copy(this.#notes, at, 0, NOTE_BYTES);
    this.#slots[slot] = ++this.#size;
    if (this.#size * 2 > this.#slots.length) this.#growSlots();
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let number = 1; number <= this.#size; number++) {
      let slot = this.#notes.readInt32LE((number - 1) * NOTE_BYTES) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }

  /** Leave the younger half in the file. */
  #forgetOldest(): void {
    const file = openRegular(this.#path, { followsLinks: false });
    using _file = closing(file);
    const notes = Math.floor(fstatSync(file).size / NOTE_BYTES);
    const first = notes >> 1;
    const room = Buffer.alloc((notes - first) * NOTE_BYTES);
    const kept = room.subarray(0, readSync(file, room, 0, room.length, first * NOTE_BYTES));
    const partial = `${this.#path}.${crypto.randomUUID()}`;
    writeFileSync(partial, kept, { flag: "wx", mode: 0o600 });
    renameSync(partial, this.#path);
  }
}
