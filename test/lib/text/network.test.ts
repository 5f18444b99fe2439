import { expect, test } from "bun:test";
import { networkOf } from "../../../lib/text/network.ts";

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
