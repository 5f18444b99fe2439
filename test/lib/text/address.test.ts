import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import { addressBytes, addressMatcher, addressVersion } from "../../../lib/text/address.ts";
import { seededRandom } from "../../support/random.ts";

describe("one address", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:cb00:7107", "203.0.113.7"],
    ["2001:db8::1", "2001:0db8:0:0:0:0:0:1"],
    ["::", "0:0:0:0:0:0:0:0"],
    ["2001:db8::", "2001:db8:0:0:0:0:0:0"],
  ] as const)("%s is %s", (text, same) => {
    expect(addressMatcher(text)!(same)).toBe(true);
    expect(addressMatcher(same)!(text)).toBe(true);
    expect(addressMatcher(text)!("203.0.113.8")).toBe(false);
    expect(addressMatcher(text)!("2001:db8::2")).toBe(false);
  });

  test.each([
    "",
    "1.2.3",
    "256.0.0.1",
    "010.0.0.1",
    "1.2.3.4.5",
    "example.org",
    "::1::",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "fe80::1%eth0",
    "12345::",
    "1.2.3.4:22",
    `${"1".repeat(1e6)}`,
  ])("refuses %.20s", text => {
    expect(addressMatcher(text)).toBeUndefined();
    expect([addressMatcher("::/0")!(text), addressMatcher("0.0.0.0/0")!(text)]).toEqual([false, false]);
  });
});

describe("ranges", () => {
  const matches = (range: string, address: string) => addressMatcher(range)!(address);

  test.each([
    ["203.0.113.7", "203.0.113.7", true],
    ["203.0.113.7", "203.0.113.70", false],
    ["203.0.113.99/24", "203.0.113.7", true],
    ["203.0.113.0/25", "203.0.113.128", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::ffff:203.0.113.0/120", "203.0.113.9", true],
    ["203.0.113.0/24", "::ffff:203.0.113.9", true],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/33", "2001:db8:ffff::1", false],
    ["2001:db8::1", "2001:0DB8:0:0::1", true],
    ["::/0", "2001:db8::1", true],
    ["::/0", "203.0.113.7", false],
    ["203.0.113.7", "<script>", false],
  ] as const)("%s and %s: %p", (range, address, expected) => {
    expect(matches(range, address)).toBe(expected);
  });

  test.each([
    "203.0.113.7/33",
    "203.0.113.7/",
    "203.0.113.7/-1",
    "203.0.113.7/8/8",
    "::ffff:203.0.113.7/95",
    "2001:db8::/129",
    "x/8",
  ])("no range: %s", text => {
    expect(addressMatcher(text)).toBeUndefined();
  });

  test("agrees with comparing the first bits one by one", () => {
    const random = seededRandom("ranges");
    for (let round = 0; round < 500; round++) {
      const address = () => Array.from({ length: 4 }, () => random.int(4) * 64 + random.int(2));
      const [a, b] = [address(), address()];
      const bits = random.int(33);
      const binary = (parts: number[]) => parts.map(part => part.toString(2).padStart(8, "0")).join("");
      expect(matches(`${a.join(".")}/${bits}`, b.join("."))).toBe(
        binary(a).slice(0, bits) === binary(b).slice(0, bits),
      );
    }
  });
});

describe("the bytes of an address", () => {
  test.each([
    ["203.0.113.7", "cb007107"],
    ["::ffff:203.0.113.7", "cb007107"],
    ["::ffff:cb00:7107", "cb007107"],
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["2001:db8::", `20010db8${"0".repeat(24)}`],
    ["2001:db8::1:2", `20010db8${"0".repeat(16)}00010002`],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:203.0.113.7", "000100020003000400050006cb007107"],
    ["64:ff9b::203.0.113.7", `0064ff9b${"0".repeat(16)}cb007107`],
    ["::203.0.113.7", `${"0".repeat(24)}cb007107`],
    ["fe80::1%eth0", undefined],
    ["example.org", undefined],
    ["", undefined],
  ])("%s", (text, hex) => {
    const bytes = addressBytes(text);
    expect(bytes && Buffer.from(bytes).toString("hex")).toBe(hex);
  });
});

test("versions are those that node:net tells, but none of a zone", () => {
  const random = seededRandom("versions");
  const pieces = ["::", ":", "1", "ffff", "0", "00", "12345", "g", "FE80", "1.2.3.4", "255.255.255.255", "256.1.1.1", "01.2.3.4", ".", "%eth0", "/8", "::ffff:", "0:0:0:0:0:ffff:", "1:2:3:4:5:6:7"];
  const seen = new Set<number>();
  for (let round = 0; round < 20_000; round++) {
    let text = "";
    for (let length = 1 + random.int(9); length > 0; length--) text += pieces[random.int(pieces.length)]! + (random.int(2) === 0 ? ":" : "");
    if (random.int(2) === 0) text = text.replace(/:$/, "");
    const expected = text.includes("%") ? 0 : isIP(text);
    expect([text, addressVersion(text)]).toEqual([text, expected as 0]);
    expect(addressBytes(text) === undefined).toBe(expected === 0);
    seen.add(expected);
  }
  expect([...seen].sort()).toEqual([0, 4, 6]);
});
