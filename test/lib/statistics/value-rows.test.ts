import { expect, test } from "bun:test";
import { toValueRows, VALUE_TYPES, type ValueType } from "../../../lib/statistics/value-rows.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

const DATE = "2024-01-01";
const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const row = (kind: LiteralRow["kind"], key: LiteralRow["key"], count: number, sensor = "a"): LiteralRow =>
  ({ kind, date: DATE, sensor, key, count });

/** Text and count of every row that has a value. */
function valuesOf(rows: LiteralRow[], type: ValueType): (readonly [string, number])[] {
  const { rows: found, textOf } = toValueRows(buildReduced(rows), type);
  return found.parts.flatMap(part =>
    Array.from({ length: part.rows }, (_, i) => i)
      .filter(i => part.value[i]! >= 0)
      .map(i => [textOf(part.value[i]!).join(" / "), part.count[i]!] as const),
  );
}

test("a command with several keys gives a row for each, also where it is the first of all", () => {
  const other = KEY.replace("OMqq", "OMqr");
  const keys = `echo ssh-ed25519 ${KEY}; echo ssh-ed25519 ${other}`;
  const found = valuesOf([row("command", { input: keys }, 3), row("command", { input: "uname" }, 9), row("command", { input: null }, 5)], "sshKey");
  expect(found).toEqual([
    [`ssh-ed25519 ${KEY}`, 3],
    [`ssh-ed25519 ${other}`, 3],
  ]);
});

test("a key that was offered goes by its base64, and by its fingerprint where nothing else is told", () => {
  const rows = [
    row("client_key", { key: `ssh-ed25519 ${KEY} me@home`, fingerprint: null }, 2),
    row("client_key", { key: null, fingerprint: "SHA256:x" }, 4),
    row("client_key", { key: "no key at all", fingerprint: "SHA256:y" }, 5),
    row("client_key", { key: null, fingerprint: null }, 6),
  ];
  expect(valuesOf(rows, "sshKey").sort((a, b) => a[1] - b[1])).toEqual([
    [`ssh-ed25519 ${KEY}`, 2],
    ["fingerprint SHA256:x", 4],
    ["no key at all", 5],
  ]);
});

test("rows of several kinds come by day and sensor; without a value they have none", () => {
  const hash = (nth: number) => String(nth).repeat(64);
  const rows = [
    { ...row("file_download", { url: "http://x/y", outfile: "o", shasum: hash(1) }, 1, "b"), date: "2024-01-02" },
    row("file_download", { url: "http://x/z", outfile: null, shasum: hash(2) }, 2, "b"),
    row("file_upload", { filename: "f", shasum: hash(1) }, 3, "a"),
    row("file_upload", { filename: "f", shasum: hash(1) }, 4, "b"),
    row("file_upload", { filename: "g", shasum: null }, 5, "a"),
  ];
  expect(valuesOf(rows, "hash").map(([, count]) => count)).toEqual([3, 2, 4, 1]);
  expect(valuesOf(rows, "urlHost")).toEqual([["x", 2], ["x", 1]]);
});

test("an address is taken from its connections, and from elsewhere only where it has none", () => {
  const rows = [
    row("connect", { src_ip: "198.51.100.1", dst_port: 22 }, 1),
    row("connect", { src_ip: null, dst_port: 22 }, 2),
    row("session_closed", { src_ip: "198.51.100.1", robot: 0 }, 3),
    row("session_closed", { src_ip: "198.51.100.2", robot: 0 }, 4),
    row("proxy_request", { src_ip: "198.51.100.3", dst_ip: "x", dst_port: 1 }, 5),
  ];
  expect(valuesOf(rows, "address")).toEqual([["198.51.100.1", 1], ["198.51.100.2", 4], ["198.51.100.3", 5]]);
});

test("every type of value finds its own", () => {
  const rows = [
    row("login", { username: "root", password: null }, 1),
    row("login", { username: "root", password: "" }, 2),
    row("client", { version: "v", hassh: null }, 3),
    row("client", { version: null, hassh: "h" }, 4),
    row("command", { input: "sleep 5" }, 5),
  ];
  const found = Object.fromEntries(VALUE_TYPES.map(type => [type, valuesOf(rows, type)]));
  expect(found).toMatchObject({
    credential: [["root / ", 1], ["root / ", 2]],
    clientVersion: [["v", 3]],
    hassh: [["h", 4]],
    address: [],
    hash: [],
    urlHost: [],
    sshKey: [],
  });
  expect(found.command!.map(([, count]) => count)).toEqual([5]);
});
