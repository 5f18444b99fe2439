/**
 * Network addresses and ranges, IPv4 and IPv6 in every spelling; an IPv4 address mapped into IPv6 is the IPv4 address.
 */
import { BlockList, isIP } from "node:net";

type Family = "ipv4" | "ipv6";

/** An IPv4 address in its longest spelling in IPv6; attackers write megabytes. */
const LONGEST = 45;
/** Where IPv4 lies in IPv6. */
const MAPPED = new BlockList();
MAPPED.addSubnet("::ffff:0:0", 96, "ipv6");

/** Undefined for anything but an address: a host name, a zone behind `%`, numbers with leading zeros. */
function familyOf(text: string): Family | undefined {
  const version = text.length > LONGEST || text.includes("%") ? 0 : isIP(text);
  return version === 0 ? undefined : version === 4 ? "ipv4" : "ipv6";
}

/**
 * Read an address, or a range as `203.0.113.0/24`; bits behind the prefix do not matter.
 *
 * @returns A function that tells whether a text is an address of the range; undefined if the range is none.
 */
export function addressMatcher(range: string): ((text: string) => boolean) | undefined {
  const [address, bits, ...more] = range.split("/", 3) as [string, ...string[]];
  const family = familyOf(address);
  if (family === undefined || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
  const allBits = family === "ipv4" ? 32 : 128;
  const prefixBits = bits === undefined ? allBits : Number(bits);
  const isV4 = MAPPED.check(address, family);
  // Less than the mapping itself is neither one family nor the other.
  if (prefixBits > allBits || (isV4 && family === "ipv6" && prefixBits < 96)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefixBits, family);
  return text => {
    const own = familyOf(text);
    return own !== undefined && MAPPED.check(text, own) === isV4 && list.check(text, own);
  };
}

/**
 * The bytes of an address: four, or sixteen of one that is not mapped IPv4.
 *
 * @returns undefined for anything but an address.
 */
export function addressBytes(text: string): Uint8Array | undefined {
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
