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
