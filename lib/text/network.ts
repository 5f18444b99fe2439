/** The network an address lies in: what a provider hands out, roughly. */
import { addressVersion, v4Number } from "./address.ts";

/** `203.0.113.0/24` of an IPv4 address, `2001:db8:1::/48` of an IPv6 one; undefined of anything else. */
export function networkOf(address: string): string | undefined {
  const version = addressVersion(address);
  if (version === 4) return `${address.slice(0, address.lastIndexOf("."))}.0/24`;
  if (version !== 6) return undefined;
  const [head = "", tail = ""] = address.toLowerCase().split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === "" ? [] : tail.split(":");
  // An IPv4 address at the end stands for two groups.
  const missing = address.includes("::") ? 8 - groups.length - behind.length - Number(tail.includes(".")) : 0;
  const all = [...groups, ...new Array<string>(missing).fill("0"), ...behind].slice(0, 3);
  return `${all.map(group => parseInt(group, 16).toString(16)).join(":")}::/48`;
}

/** The first three bytes of an IPv4 address, which are what {@link networkOf} tells of it, or of such a network by its name; -1 of anything else. */
export function networkNumber(text: string): number {
  const number = v4Number(text.endsWith(".0/24") ? text.slice(0, -3) : text);
  return number < 0 ? -1 : Math.floor(number / 256);
}
