/** What is no indicator. */
import { describe, expect, test } from "bun:test";
import { KeepOut, parseExclusions } from "../../../lib/indicators/keep-out.ts";

const none = () => new KeepOut({ excluded: [], keepsReserved: false });

describe("an address", () => {
  test.each([
    "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.255.255", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.7", "224.0.0.1", "255.255.255.255", "0.0.0.0", "::", "::1", "fe80::1", "fc00::1", "2001:db8::1", "3fff::1", "ff02::1", "64:ff9b::1",
    "::ffff:10.0.0.1", "host.net", "",
  ])("%p is private, reserved, for documentation, or none", address => {
    expect(none().address(address)).toBe("private or reserved");
  });

  test.each(["5.6.7.8", "172.32.0.1", "100.128.0.1", "223.255.255.255", "2a01::1", "::ffff:5.6.7.8"])("%p is one", address => {
    expect(none().address(address)).toBeUndefined();
  });

  test("of a sensor, and of its network, is none; an address inside a sensor's own private network tells nothing", () => {
    const keepOut = none();
    for (const own of ["5.6.7.8", "2a01:1:2:3::4", "172.17.0.2"]) keepOut.addOwn(own);
    const reasons = ["5.6.7.9", "5.6.8.8", "2a01:1:2:ffff::1", "2a01:1:3::1"].map(address => keepOut.address(address));
    expect(reasons).toEqual(["of sensors or their networks", undefined, "of sensors or their networks", undefined]);
  });

  test("of a lab counts where it is asked for", () => {
    expect(new KeepOut({ excluded: [], keepsReserved: true }).address("203.0.113.7")).toBeUndefined();
  });
});

describe("a host", () => {
  test.each([
    ["evil.example.net", "private or reserved"], ["printer.local", "private or reserved"], ["x.lan", "private or reserved"],
    ["raw.githubusercontent.com", "shared by everybody"], ["ipinfo.io", "shared by everybody"], ["8.8.8.8", "shared by everybody"],
    ["notgithub.com", undefined], ["github.com.evil.cn", undefined], ["5.6.7.8", undefined], ["10.0.0.1", "private or reserved"],
  ])("%s: %p", (host, reason) => expect(none().host(host)).toBe(reason as never));

  test("that serves everybody has URLs that are indicators, but for its front page", () => {
    const reasons = ["https://github.com/", "http://google.com", "https://github.com/evil/x/raw/main/x.sh"].map(url =>
      none().url(url, url.includes("github") ? "github.com" : "google.com"),
    );
    expect(reasons).toEqual(["shared by everybody", "shared by everybody", undefined]);
  });
});

test("a hash of nothing, or of next to nothing, is none", () => {
  const hashOf = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
  expect(["", "\n", "test\n", "#!/bin/sh\nid\n"].map(text => none().hash(hashOf(text)))).toEqual([
    "empty or trivial files", "empty or trivial files", "empty or trivial files", undefined,
  ]);
});

test("what a file excludes: addresses, ranges, hosts with all below them, URLs, hashes, keys", () => {
  const text = `# ours\r\n5.6.7.0/24  # office\n2a01::/16\nGood.NET\n*.cdn.org\nhttp://bad.net/ok#part\n${"A".repeat(64)}\nssh-rsa AAAAx\n\n`;
  const keepOut = new KeepOut({ excluded: parseExclusions(text), keepsReserved: false });
  const by = "by --exclude" as const;
  expect([keepOut.address("5.6.7.9"), keepOut.address("5.6.8.9"), keepOut.address("2a01::9")]).toEqual([by, undefined, by]);
  expect(["good.net", "a.b.good.net", "notgood.net", "cdn.org", "x.cdn.org", "5.6.7.9"].map(host => keepOut.host(host))).toEqual([by, by, undefined, by, by, by]);
  expect(["http://good.net/x", "http://bad.net/ok#part", "http://bad.net/x"].map(url => keepOut.url(url, url.split("/")[2]!))).toEqual([by, by, undefined]);
  expect([keepOut.hash("a".repeat(64)), keepOut.value("ssh-rsa AAAAX"), keepOut.value("ssh-rsa AAAAy")]).toEqual([by, by, undefined]);
});
