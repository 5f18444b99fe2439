/**
 * Network addresses and ranges, IPv4 and IPv6 in every spelling; an IPv4 address mapped into IPv6 is the IPv4 address.
 */
import { BlockList, isIP } from "node:net";

type Family = "ipv4" | "ipv6";

/** An IPv4 address in its longest spelling in IPv6; attackers write megabytes. */
const LONGEST = 45;

/** The bytes of an address of version 4 as it is mostly written; `isIP` takes several times as long. */
function plainV4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit === -2 && value >= 0 && part < 3) {
      bytes[part++] = value;
      value = -1;
    } else if (digit >= 0 && digit <= 9 && value !== 0) {
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return undefined;
    } else {
      return undefined;
    }
  }
  if (part < 3 || value < 0) return undefined;
  bytes[3] = value;
  return bytes;
}

/** Undefined for anything but an address: a host name, a zone behind `%`, numbers with leading zeros. */
function familyOf(text: string): Family | undefined {
  const version = text.length > LONGEST || text.includes("%") ? 0 : isIP(text);
  return version === 0 ? undefined : version === 4 ? "ipv4" : "ipv6";
}

/** Many ranges at once, looked up in one step. */
export class AddressRanges {
  // A list of both families would find an IPv4 address in ::/0.
  readonly #v4 = new BlockList();
  readonly #v6 = new BlockList();

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
    if (bytes.length === 4) this.#v4.addSubnet(bytes.join("."), prefixBits, "ipv4");
    else this.#v6.addSubnet(address, prefixBits, "ipv6");
    return true;
  }

  /** Whether a text is an address of one of them. */
  has(text: string): boolean {
    const bytes = addressBytes(text);
    if (bytes === undefined) return false;
    return bytes.length === 4 ? this.#v4.check(bytes.join("."), "ipv4") : this.#v6.check(text, "ipv6");
  }
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
  return bytes !== undefined && (bytes.length === 4 || GLOBAL_V6.has(text)) && !SPECIAL.has(text);
}

/**
 * The bytes of an address: four, or sixteen of one that is not mapped IPv4.
 *
 * @returns undefined for anything but an address.
 */
export function addressBytes(text: string): Uint8Array | undefined {
  const plain = plainV4(text);
  if (plain !== undefined) return plain;
  const family = familyOf(text);
  if (family === undefined) return undefined;
  if (family === "ipv4") return Uint8Array.from(text.split("."), Number);
  const dotted = text.lastIndexOf(".") < 0 ? undefined : text.slice(text.lastIndexOf(":") + 1);
  const tail = dotted === undefined ? [] : [...addressBytes(dotted)!];
  const hex = dotted === undefined ? text : text.slice(0, text.length - dotted.length).replace(/(?<!:):$/, "");
  const [head = "", rest] = hex.split("::");
  const toBytes = (part: string) =>
    part === "" ? [] : part.split(":").flatMap(word => [parseInt(word, 16) >> 8, parseInt(word, 16) & 0xff]);
  const bytes = new Uint8Array(16);
  const [left, right] = rest === undefined ? [[...toBytes(head), ...tail], []] : [toBytes(head), [...toBytes(rest), ...tail]];
  bytes.set(left);
  bytes.set(right, 16 - right.length);
  const isMapped = bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
  return isMapped ? bytes.subarray(12) : bytes;
}
