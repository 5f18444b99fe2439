/**
 * Network addresses and ranges, IPv4 and IPv6 in every spelling; an IPv4 address mapped into IPv6 is the IPv4 address.
 */

/** An IPv4 address in its longest spelling in IPv6; attackers write megabytes. */
const LONGEST = 45;

/** An address of version 4 as a number of 32 bits: without leading zeros, which some programs take for octal numbers; -1 = none. */
export function v4Number(text: string): number {
  let number = 0;
  let parts = 0;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit === -2 && value >= 0 && parts < 3) {
      number = number * 256 + value;
      parts++;
      value = -1;
    } else if (digit >= 0 && digit <= 9 && value !== 0) {
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return -1;
    } else {
      return -1;
    }
  }
  return parts < 3 || value < 0 ? -1 : number * 256 + value;
}

/** Its four bytes. */
function plainV4(text: string): Uint8Array | undefined {
  const number = v4Number(text);
  return number < 0 ? undefined : Uint8Array.of(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff);
}

/** The sixteen bytes of an address of version 6 without a zone. */
function plainV6(text: string): Uint8Array | undefined {
  const at = text.indexOf("::");
  const head = wordsOf(at < 0 ? text : text.slice(0, at), at < 0);
  const tail = at < 0 ? NO_WORDS : wordsOf(text.slice(at + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const words = head.length + tail.length;
  // What is left out is one word of zeros at least.
  if (at < 0 ? words !== 8 : words > 7) return undefined;
  const bytes = new Uint8Array(16);
  head.forEach((word, i) => put(bytes, i, word));
  tail.forEach((word, i) => put(bytes, 8 - tail.length + i, word));
  return bytes;
}

const NO_WORDS: readonly number[] = [];

/** @param mayEndDotted Whether the last two words may be written as an address of version 4. */
function wordsOf(text: string, mayEndDotted: boolean): readonly number[] | undefined {
  if (text === "") return NO_WORDS;
  const parts = text.split(":");
  const dotted = mayEndDotted && parts.at(-1)!.includes(".") ? plainV4(parts.pop()!) : NO_WORDS;
  if (dotted === undefined || !parts.every(part => /^[\da-fA-F]{1,4}$/.test(part))) return undefined;
  const words = parts.map(part => parseInt(part, 16));
  return dotted === NO_WORDS ? words : [...words, (dotted[0]! << 8) | dotted[1]!, (dotted[2]! << 8) | dotted[3]!];
}

function put(bytes: Uint8Array, i: number, word: number): void {
  bytes[2 * i] = word >> 8;
  bytes[2 * i + 1] = word & 0xff;
}

/** 4 or 6 by the version of an address, as it is written; 0 for anything else. */
export function addressVersion(text: string): 0 | 4 | 6 {
  if (v4Number(text) >= 0) return 4;
  return text.length <= LONGEST && text.includes(":") && plainV6(text) !== undefined ? 6 : 0;
}

/** Many ranges at once, looked up in a step for each length of a prefix. */
export class AddressRanges {
  /** By bits of the prefix; an address of version 4 is none of ::/0. */
  readonly #v4 = new Map<number, Set<number>>();
  readonly #v6 = new Map<number, Set<string>>();

  /**
   * Add an address, or a range as `203.0.113.0/24`; bits behind the prefix do not matter.
   *
   * @returns Whether it was one.
   */
  add(range: string): boolean {
    const [address, bits, ...more] = range.split("/", 3) as [string, ...string[]];
    const bytes = addressBytes(address);
    if (bytes === undefined || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
    const allBits = address.includes(":") ? 128 : 32;
    // Less than the mapping itself is neither one family nor the other.
    const mappedBits = allBits - bytes.length * 8;
    const prefixBits = (bits === undefined ? allBits : Number(bits)) - mappedBits;
    if (prefixBits < 0 || prefixBits > bytes.length * 8) return false;
    if (bytes.length === 4) insert(this.#v4, prefixBits, prefixV4(bytes, prefixBits));
    else insert(this.#v6, prefixBits, prefixV6(bytes, prefixBits));
    return true;
  }

  /** Whether a text is an address of one of them. */
  has(text: string): boolean {
    const bytes = addressBytes(text);
    return bytes !== undefined && this.hasBytes(bytes);
  }

  /** The same of its bytes. */
  hasBytes(bytes: Uint8Array): boolean {
    if (bytes.length === 4) {
      for (const [bits, prefixes] of this.#v4) if (prefixes.has(prefixV4(bytes, bits))) return true;
    } else {
      for (const [bits, prefixes] of this.#v6) if (prefixes.has(prefixV6(bytes, bits))) return true;
    }
    return false;
  }
}

function insert<T>(prefixes: Map<number, Set<T>>, bits: number, prefix: T): void {
  const known = prefixes.get(bits);
  if (known === undefined) prefixes.set(bits, new Set([prefix]));
  else known.add(prefix);
}

function prefixV4(bytes: Uint8Array, bits: number): number {
  const all = (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
  // A shift by 32 is one by none.
  return bits === 0 ? 0 : all >>> (32 - bits);
}

function prefixV6(bytes: Uint8Array, bits: number): string {
  const whole = bytes.subarray(0, bits >> 3);
  return `${whole.join()} ${bits % 8 === 0 ? "" : bytes[bits >> 3]! >> (8 - (bits % 8))}`;
}

/**
 * Read an address, or a range, see {@link AddressRanges.add}.
 *
 * @returns A function that tells whether a text is an address of the range; undefined if the range is none.
 */
export function addressMatcher(range: string): ((text: string) => boolean) | undefined {
  const ranges = new AddressRanges();
  if (!ranges.add(range)) return undefined;
  const only = addressBytes(range);
  return only === undefined ? text => ranges.has(text) : text => isSame(only, addressBytes(text));
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Of version 4 what IANA's registry of special purposes keeps from the Internet; documentation, too. */
const SPECIAL = new AddressRanges();
for (const range of (
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 " +
  "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 2001::/23 2001:db8::/32 3fff::/20"
).split(" ")) SPECIAL.add(range);
/** Of version 6 what is given out to the world. */
const GLOBAL_V6 = new AddressRanges();
GLOBAL_V6.add("2000::/3");

/** Whether a text is an address that somebody may have on the Internet: not private, reserved, or for documentation. */
export function isPublicAddress(text: string): boolean {
  const bytes = addressBytes(text);
  return bytes !== undefined && (bytes.length === 4 || GLOBAL_V6.hasBytes(bytes)) && !SPECIAL.hasBytes(bytes);
}

/**
 * The bytes of an address: four, or sixteen of one that is not mapped IPv4.
 *
 * @returns undefined for anything but an address.
 */
export function addressBytes(text: string): Uint8Array | undefined {
  const plain = plainV4(text);
  if (plain !== undefined) return plain;
  const bytes = text.length > LONGEST || !text.includes(":") ? undefined : plainV6(text);
  const isMapped = bytes !== undefined && bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
  return isMapped ? bytes.subarray(12) : bytes;
}
