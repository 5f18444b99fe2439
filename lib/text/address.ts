/**
 * Network addresses and ranges, IPv4 and IPv6 in every spelling; an IPv4 address mapped into IPv6 is the IPv4 address.
 */

/** An address as a number of 32 or 128 bits. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** All addresses that begin with the same bits. */
export interface AddressRange {
  /** With everything behind the prefix zero. */
  readonly network: Address;
  readonly prefixBits: number;
}

const MAPPED = 0xffffn << 32n;
const MAPPED_PREFIX_BITS = 96;

/**
 * Read an address.
 *
 * @returns undefined for anything else: a host name, a zone behind `%`, numbers with leading zeros or out of range.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 45) return undefined;
  if (!text.includes(":")) {
    const value = parseDotted(text);
    return value === undefined ? undefined : { bits: 32, value };
  }
  const value = parseColons(text);
  if (value === undefined) return undefined;
  return value >> 32n === MAPPED >> 32n ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/**
 * Read an address, or a range as `203.0.113.0/24`; bits behind the prefix do not matter.
 *
 * @returns undefined for anything else.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const slash = text.indexOf("/");
  const written = slash < 0 ? text : text.slice(0, slash);
  const address = parseAddress(written);
  if (address === undefined) return undefined;
  let prefixBits: number = address.bits;
  if (slash >= 0) {
    if (!/^\d{1,3}$/.test(text.slice(slash + 1))) return undefined;
    prefixBits = Number(text.slice(slash + 1));
    // "::ffff:203.0.113.0/120" counts the bits of the mapping as well.
    if (address.bits === 32 && written.includes(":")) prefixBits -= MAPPED_PREFIX_BITS;
    if (prefixBits < 0 || prefixBits > address.bits) return undefined;
  }
  const behind = BigInt(address.bits - prefixBits);
  return { network: { bits: address.bits, value: (address.value >> behind) << behind }, prefixBits };
}

/** A function that tells whether a text is an address of the range. */
export function addressMatcher({ network, prefixBits }: AddressRange): (text: string) => boolean {
  const behind = BigInt(network.bits - prefixBits);
  const wanted = network.value >> behind;
  return text => {
    const address = parseAddress(text);
    return address !== undefined && address.bits === network.bits && address.value >> behind === wanted;
  };
}

function parseDotted(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0n;
  for (const part of match.slice(1)) {
    // Some programs read "010" as 8.
    if (Number(part) > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseColons(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [before, after] = halves.map(half => (half === "" ? [] : readGroups(half)));
  if (before === undefined || (halves.length === 2 && after === undefined)) return undefined;
  const given = before.length + (after?.length ?? 0);
  // "::" stands for one group at least.
  if (halves.length === 2 ? given > 7 : given !== 8) return undefined;
  const groups = [...before, ...new Array<number>(8 - given).fill(0), ...(after ?? [])];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Groups of 16 bits; the last two may be written as an IPv4 address. */
function readGroups(text: string): number[] | undefined {
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const dotted = i === parts.length - 1 ? parseDotted(part) : undefined;
    if (dotted !== undefined) groups.push(Number(dotted >> 16n), Number(dotted & 0xffffn));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
