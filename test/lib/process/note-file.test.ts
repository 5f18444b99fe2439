/** Notes that several processes append to one file. */
import { expect, test } from "bun:test";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NOTE_BYTES, NoteFile } from "../../../lib/process/note-file.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";

const random = seededRandom("notes");
const makeNote = () => Buffer.from(Array.from({ length: NOTE_BYTES }, () => random.int(256)));

test("what one has appended another knows at the next look, as a set does", async () => {
  await using dir = await makeTempDir();
  const path = join(dir.path, "kept");
  const [one, other] = [new NoteFile(path), new NoteFile(path)];
  const known: Buffer[] = [];
  for (let round = 0; round < 3000; round++) {
    const note = makeNote();
    expect(other.hasByNow(note)).toBe(false);
    one.add(note);
    known.push(note);
    const old = known[random.int(known.length)]!;
    expect([one.has(old), other.hasByNow(old), other.has(old)]).toEqual([true, true, true]);
  }
  // Alike in the bytes by which they are found.
  const twin = Buffer.from(known[0]!);
  twin[NOTE_BYTES - 1]! ^= 1;
  expect([one.hasByNow(twin), other.hasByNow(twin)]).toEqual([false, false]);
  expect(statSync(path).size).toBe(3000 * NOTE_BYTES);
});

test("a look reads no more than what is new", async () => {
  await using dir = await makeTempDir();
  const path = join(dir.path, "kept");
  const notes = Array.from({ length: 50 }, makeNote);
  writeFileSync(path, Buffer.concat(notes));
  const file = new NoteFile(path);
  expect(file.hasByNow(notes[49]!)).toBe(true);
  // What is overwritten in the same file was read before; what is behind it is not known yet.
  const late = makeNote();
  const bytes = Buffer.concat([makeNote(), ...notes.slice(1), late]);
  writeFileSync(path, bytes);
  expect(file.hasByNow(late)).toBe(true);
  expect(file.hasByNow(bytes.subarray(0, NOTE_BYTES))).toBe(false);
});

test("the older half is forgotten where there are too many", async () => {
  await using dir = await makeTempDir();
  const path = join(dir.path, "kept");
  const file = new NoteFile(path, 64 * NOTE_BYTES);
  const notes = Array.from({ length: 70 }, makeNote);
  for (const note of notes) file.add(note);
  const left = readFileSync(path);
  expect(left.length).toBeLessThan(64 * NOTE_BYTES);
  const fresh = new NoteFile(path);
  expect([fresh.hasByNow(notes[0]!), fresh.hasByNow(notes[69]!)]).toEqual([false, true]);
});

test("a torn file is begun anew, a missing or foreign one knows nothing", async () => {
  await using dir = await makeTempDir();
  const path = join(dir.path, "kept");
  const note = makeNote();
  expect(new NoteFile(path).hasByNow(note)).toBe(false);
  new NoteFile(path).add(note);
  appendFileSync(path, "torn");
  expect(new NoteFile(path).hasByNow(note)).toBe(false);
  const again = new NoteFile(path);
  again.add(note);
  expect(new NoteFile(path).hasByNow(note)).toBe(true);
  expect(new NoteFile(dir.path).hasByNow(note)).toBe(false);
});
