/** Databases of countries and networks: sound, broken, and made to hang whoever reads them. */
import { describe, expect, test } from "bun:test";
import { Mmdb, type MmdbValue, openMmdb } from "../../../lib/origin/mmdb.ts";
import { buildMmdb, control, encode, pointer, Raw, type Written } from "../../support/mmdb.ts";

const read = (file: Buffer, address: string): MmdbValue | undefined => {
  const mmdb = new Mmdb(file);
  const offset = mmdb.find(address);
  return offset === undefined ? undefined : mmdb.record(offset);
};
const of = (record: Written) => buildMmdb({ networks: { "203.0.113.0/24": record } });

describe("a sound database", () => {
  test.each([24, 28, 32] as const)("with branches of %d bits tells addresses of both versions", recordBits => {
    const file = buildMmdb({
      networks: { "198.51.100.0/25": "a", "198.51.100.128/25": "b", "2001:db8::/32": "c", "203.0.113.7/32": "d" },
      recordBits,
    });
    const found = ["198.51.100.200", "2001:db8:ffff::1", "203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8", "2001:db9::", "x", ""];
    expect(found.map(address => read(file, address))).toEqual(["b", "c", "d", "d", undefined, undefined, undefined, undefined]);
  });

  test("of version 4 has no address of version 6", () => {
    const file = buildMmdb({ networks: { "0.0.0.0/1": "a" }, ipVersion: 4 });
    expect(["1.2.3.4", "200.1.1.1", "::1"].map(address => read(file, address))).toEqual(["a", undefined, undefined]);
  });

  test("gives back every type of value, and long texts", () => {
    const long = "x".repeat(70_000 - 10_000);
    const record = of({
      text: "Ünïcode", long, list: [1, true, []], map: { __proto__: "no" , constructor: "yes" }, yes: true,
      bytes: new Raw([...control(4, 2), 1, 2]),
      double: new Raw([...control(3, 8), 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]),
      float: new Raw([...control(15, 4), 0x3f, 0xc0, 0, 0]),
      int: new Raw([...control(8, 4), 0xff, 0xff, 0xff, 0xff]),
      huge: new Raw([...control(10, 16), ...new Array<number>(16).fill(255)]),
      small: new Raw(control(5, 0)),
    });
    expect(read(record, "203.0.113.9")).toEqual(
      new Map<string, MmdbValue>([
        ["text", "Ünïcode"], ["long", long], ["list", [1, true, []]], ["map", new Map([["constructor", "yes"]])], ["yes", true],
        ["bytes", Buffer.from([1, 2])], ["double", 1.5], ["float", 1.5], ["int", -1], ["huge", 2n ** 128n - 1n], ["small", 0],
      ]),
    );
  });

  test("says what it is and of which day", () => {
    expect(new Mmdb(of("a")).metadata).toEqual({ type: "Test-Country", builtMs: Date.UTC(2026, 7, 1) });
  });
});

describe("a hostile record is refused, and soon", () => {
  const pairs = (levels: number) => {
    // Each level is a list of two pointers to the next: read without a limit, 2 ** levels values.
    const list = (next: number) => [...control(11, 2), ...pointer(next).bytes, ...pointer(next).bytes];
    const { length } = list(0);
    return new Raw(Array.from({ length: levels }, (_, level) => list((level + 1) * length)).flat().concat(encode("end")));
  };
  test.each([
    ["a pointer to itself", pointer(0), "a pointer to a pointer"],
    ["a list that holds itself", new Raw([...control(11, 1), ...pointer(0).bytes]), "more than 32 levels"],
    ["a list that holds itself twice", new Raw([...control(11, 2), ...pointer(0).bytes, ...pointer(0).bytes]), "more than 32 levels"],
    ["pairs of pairs", pairs(30), "more than 4096 values"],
    ["a deep nest", new Raw(new Array<number[]>(5000).fill(control(11, 1)).flat()), "more than 32 levels"],
    ["a list of millions", new Raw(control(11, 16_000_000)), "a list of 16000000 values"],
    ["a map of millions", new Raw(control(7, 16_000_000)), "a map of 16000000 keys"],
    ["a text longer than the file", new Raw(control(2, 60_000)), "lies outside"],
    ["a text of millions", new Raw(control(2, 16_000_000)), "a text of 16000000 bytes"],
    ["bytes longer than the file", new Raw(control(4, 16_000_000)), "lies outside"],
    ["a pointer out of the file", pointer(0xffff_ffff), "lies outside"],
    ["a key that is a number", new Raw([...control(7, 1), ...encode(1), ...encode(1)]), "a key that is no text"],
    ["broken UTF-8", new Raw([...control(2, 1), 0xff]), "not UTF-8"],
    ["a type nobody knows", new Raw([0, 5]), "unknown type 12"],
    ["a number of 20 bytes", new Raw(control(6, 20)), "a number of 20 bytes"],
  ])("%s", (_, record, message) => {
    expect(() => read(of(record), "203.0.113.9")).toThrow(message);
  });
});

describe("a hostile tree or hostile metadata are refused", () => {
  test.each([
    ["more nodes than bytes", { node_count: 0xffff_ffff }],
    ["no nodes", { node_count: 0 }],
    ["nodes of another size", { record_size: 24 }],
    ["branches of 31 bits", { record_size: 31 }],
    ["version 5 of addresses", { ip_version: 5 }],
    ["version 3 of the format", { binary_format_major_version: 3 }],
    ["built when the sun has gone out", { build_epoch: new Raw([...control(9, 8), ...new Array<number>(8).fill(255)]) }],
    ["a count that is a text", { node_count: "7" }],
  ] as const)("%s", (_, metadata) => {
    expect(() => new Mmdb(buildMmdb({ networks: { "203.0.113.0/24": "a" }, metadata }))).toThrow(/metadata|tree/);
  });

  test("a tree that leads back to itself", () => {
    const file = buildMmdb({ networks: { "128.0.0.0/1": "a" }, ipVersion: 4, recordBits: 24 });
    const loop = Buffer.from(file);
    loop.set([0, 0, 0], 0);
    expect(() => read(loop, "0.0.0.0")).toThrow("has no end");
    expect(read(loop, "200.2.3.4")).toBe("a");
  });

  test("a branch that leads out of the tree, whichever side it is on", () => {
    const file = buildMmdb({ networks: { "0.0.0.0/1": "a", "128.0.0.0/1": "b" }, ipVersion: 4, recordBits: 24 });
    expect([read(file, "9.9.9.9"), read(file, "200.2.3.4")]).toEqual(["a", "b"]);
    for (const side of [0, 3]) {
      for (const next of [[0, 0, 2], [0, 1, 0]]) {
        const broken = Buffer.from(file);
        broken.set(next, side);
        expect(() => new Mmdb(broken)).toThrow("leads out of it");
      }
    }
  });

  test("every cut and every flipped byte of a file gives an answer or an error, never a hang", () => {
    const file = buildMmdb({ networks: { "203.0.113.0/24": { country: { iso_code: "NL" } }, "2001:db8::/32": ["x", 7] } });
    let answers = 0;
    for (let i = 0; i < file.length; i++) {
      const flipped = Buffer.from(file);
      flipped[i]! ^= 1 << (i % 8);
      for (const broken of [file.subarray(0, i), flipped]) {
        try {
          const mmdb = new Mmdb(broken);
          for (const address of ["203.0.113.9", "2001:db8::1", "8.8.8.8"]) {
            const offset = mmdb.find(address);
            if (offset !== undefined) mmdb.record(offset);
          }
          answers++;
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).message).not.toContain("undefined");
        }
      }
    }
    expect(answers).toBeGreaterThan(0);
  });

  test.each([
    ["/dev/zero", "it is a device"],
    ["/nowhere/x.mmdb", "no such file"],
    [import.meta.path, "it has no metadata"],
  ])("%s is no database", (path, reason) => {
    expect(() => openMmdb(path)).toThrow(reason);
  });
});
