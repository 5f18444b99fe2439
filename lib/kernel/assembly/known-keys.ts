/**
 * Keys by name, each with what is done with its value.
 *
 * Those of the schema are told by TypeScript before the first log; a key that nobody knows is remembered as one for
 * `extra` from its first line on, up to a number: a log full of invented keys is read by the plain path from there on.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { ACTION_EXTRA, KEY_MAX_BYTES } from "../layout.ts";
import { Dictionary, find, initDictionary, intern, truncate } from "./dictionaries.ts";

/** Cowrie has about a hundred. */
const KEYS_MAX: u32 = 1024;

const names = changetype<Dictionary>(memory.data(128, 16));
const ACTIONS: usize = memory.data(KEYS_MAX);
const COLUMNS: usize = memory.data(KEYS_MAX);

let known: u32 = 0;

/** So much room that it never grows: what is known stays through all logs. */
export function initKeys(): void {
  initDictionary(names, KEYS_MAX * 2, KEYS_MAX * KEY_MAX_BYTES * 2);
}

/** Name a key of the schema. */
export function addKey(name: usize, length: u32, action: i32, column: i32): void {
  const key = intern(names, name, length);
  store<u8>(ACTIONS + key, <u8>action);
  store<u8>(COLUMNS + key, <u8>column);
  known = names.size;
}

/** Forget the keys that are not of the schema. */
export function forgetKeys(): void {
  truncate(names, known);
}

/** The key of a name, -1 if it is left to the plain path. */
export function keyOf(name: usize, length: u32): i32 {
  if (length > <u32>KEY_MAX_BYTES) return -1;
  if (names.size == KEYS_MAX) return find(names, name, length);
  const key = intern(names, name, length);
  if (<u32>key >= known) store<u8>(ACTIONS + key, <u8>ACTION_EXTRA);
  return key;
}

@inline export function actionOf(key: i32): i32 {
  return load<u8>(ACTIONS + key);
}

@inline export function columnOf(key: i32): i32 {
  return load<u8>(COLUMNS + key);
}
