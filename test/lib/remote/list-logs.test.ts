import { describe, expect, test } from "bun:test";
import { ListingReader } from "../../../lib/remote/list-logs.ts";
import { listingOf } from "../../support/remote.ts";

/** What is read of a listing that comes in pieces of so many bytes. */
function read(text: string, pieceBytes = Infinity) {
  const reader = new ListingReader();
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.take(bytes.subarray(at, at + pieceBytes));
  return reader.finish();
}

const LISTING = listingOf([
  { path: "/logs/cowrie.json", size: 5 },
  { path: "/logs/cowrie.json.arrow", size: 5 },
  { path: "/logs/\xff\n/cowrie.json.1", size: 6, mtime: "-1.5" },
  { path: "/logs/cowrie.json.2", size: 6, mtime: "never" },
]);

describe("a list of logs", () => {
  test.each([1, 2, 7, 50, Infinity])("is the same in pieces of %p bytes", pieceBytes => {
    const { logs, odd, tools } = read(LISTING, pieceBytes);
    expect(logs.map(({ path, root, mtime, sizeBytes }) => [path, root, mtime, sizeBytes])).toEqual([
      ["/logs/cowrie.json", "/logs", "1700000000.5", 5],
      ["/logs/\xff\n/cowrie.json.1", "/logs", "-1.5", 6],
    ]);
    expect(odd).toEqual([{ path: "/logs/cowrie.json.2", reason: 'the host tells a time of "never"' }]);
    expect(tools).toEqual({ machine: "Linux x86_64", zstd: false, gzip: false, sha256sum: false });
  });

  const HEAD = "tools\0Linux\x00000\0root\0/logs\0";
  const CUT: string[] = ["", "tools\0Linux\0", HEAD, LISTING.slice(0, -1), LISTING.slice(0, -9), "end\0", `${HEAD}what\0`];
  test.each(CUT)("%j is none", text => expect(() => read(text)).toThrow("cannot be read"));

  const RECORDS: [what: string, record: (i: number) => string][] = [
    ["logs", i => `log\x001:${i}\x001\x001\0r\0/logs/cowrie.json.${i}\0`],
    ["files that are no logs", () => "log\x001:1\x001\x001\0r\0/logs/x\0"],
    ["links to one log", () => "log\x001:1\x001\x001\0r\0/logs/cowrie.json\0"],
    ["odd logs", i => `log\x001:${i}\0x\x001\0r\0/logs/cowrie.json\0`],
    ["folders", () => "root\0/\0"],
    ["folders nobody may read", () => "denied\0/\0"],
    ["paths that are not there", () => "absent\0\0"],
    ["tools", () => "tools\0\0\0"],
  ];
  test.each(RECORDS)("of ever more %s is given up", (_what, record) => {
    const reader = new ListingReader();
    reader.take(Buffer.from(HEAD));
    let taken = 0;
    const pour = () => {
      for (; taken < 300_000; taken++) reader.take(Buffer.from(record(taken)));
    };
    expect(pour).toThrow("names more than 200000 logs");
    expect(taken).toBeLessThan(200_001);
  });

  test("with a field without end is given up, however it comes", () => {
    for (const pieceBytes of [10, 1 << 20]) {
      const reader = new ListingReader();
      expect(() => {
        for (let bytes = 0; bytes < 1 << 20; bytes += pieceBytes) reader.take(Buffer.alloc(pieceBytes, "a"));
      }).toThrow("cannot be read");
    }
  });
});
