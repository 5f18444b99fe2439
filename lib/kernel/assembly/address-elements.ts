/**
 * What stands for an address in sets: as `addressHash` of `columns/address-sets.ts`, of IPv4 addresses as they are usually
 * written. All others are left to TypeScript, which knows every spelling.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import { COLUMN_SRC_IP } from "../layout.ts";
import { dictionaryOf, textLength, textStart } from "./dictionaries.ts";
import { allocate } from "./heap.ts";
import { digitAt } from "./json-values.ts";

const DOT: u8 = 0x2e;
const IPV4: u32 = 0x5bd1_e995;

let elements: usize = 0;
/** Codes of the addresses that are left to TypeScript. */
let others: usize = 0;
export let otherCount: u32 = 0;

@inline export function elementOf(code: i32): u32 {
  return load<u32>(elements + (<usize>code << 2));
}

/** Work out the element of each address of the log; how many are left is {@link otherCount}. @returns Their codes. */
export function findElements(): usize {
  const d = dictionaryOf(COLUMN_SRC_IP);
  elements = allocate(max<u32>(1, d.size) * 4);
  others = allocate(max<u32>(1, d.size) * 4);
  otherCount = 0;
  for (let code: u32 = 0; code < d.size; code++) {
    const start = textStart(d, code);
    if (!readIpv4(start, start + textLength(d, code))) {
      store<u32>(others + (<usize>otherCount << 2), code);
      otherCount++;
    } else store<u32>(elements + (<usize>code << 2), mix(ipv4 ^ IPV4));
  }
  return others;
}

/** Name the element of one that is left. */
export function setElement(code: u32, element: u32): void {
  if (code >= dictionaryOf(COLUMN_SRC_IP).size) unreachable();
  store<u32>(elements + (<usize>code << 2), element);
}

/** The address read last, its first byte the highest. */
let ipv4: u32 = 0;

function readIpv4(at: usize, end: usize): bool {
  ipv4 = 0;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && (at >= end || load<u8>(at++) != DOT)) return false;
    const start = at;
    let value: u32 = 0;
    for (let digit = digitAt(at); at < end && digit <= 9 && at < start + 3; digit = digitAt(at)) {
      value = value * 10 + digit;
      at++;
    }
    if (at == start || value > 255 || (at > start + 1 && load<u8>(start) == 0x30)) return false;
    ipv4 = (ipv4 << 8) | value;
  }
  return at == end;
}

/** The finalizer of MurmurHash3 (public domain). */
function mix(bits: u32): u32 {
  bits = (bits ^ (bits >> 16)) * 0x85eb_ca6b;
  bits = (bits ^ (bits >> 13)) * 0xc2b2_ae35;
  return bits ^ (bits >> 16);
}
