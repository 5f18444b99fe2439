import { expect, test } from "bun:test";
import { networkNumber, networkOf } from "../../../lib/text/network.ts";

test.each([
  ["203.0.113.77", "203.0.113.0/24"],
  ["2001:db8:1:2::9", "2001:db8:1::/48"],
  ["2001:0DB8::1", "2001:db8:0::/48"],
  ["::1", "0:0:0::/48"],
  ["64:ff9b::203.0.113.7", "64:ff9b:0::/48"],
  ["evil.example", undefined],
  ["1.2.3", undefined],
  ["fe80::1%eth0", undefined],
])("%s", (address, network) => {
  expect(networkOf(address)).toBe(network as string);
});

test("texts share a number if and only if one network is told of them", () => {
  const texts = ["203.0.113.77", "203.0.113.9", "203.0.112.9", "203.0.113.0/24", "0.0.0.1", "0.0.0.0/24", "255.255.255.255", "1.2.3", "1.2.3.04", "203.0.113.7/24", "2001:db8::1", "::ffff:203.0.113.7", "203.0.113.300", "203.0.113.0.0/24", ".0/24", ""];
  const told = (text: string) => networkOf(text) ?? text;
  for (const a of texts) {
    for (const b of texts) {
      if (networkNumber(a) >= 0) expect([a, b, networkNumber(a) === networkNumber(b)]).toEqual([a, b, told(a) === told(b)]);
    }
  }
  expect(texts.filter(text => networkNumber(text) >= 0)).toHaveLength(7);
});
