/** Country and network of an address, whoever made the database. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describeOrigin, NO_ORIGIN, Origins } from "../../../lib/origin/origins.ts";
import { FORMATS, NEEDS_FORMATS } from "../../support/formats.ts";
import { buildMmdb, pointer, type Written } from "../../support/mmdb.ts";

function withDatabases<T>(records: readonly Written[], use: (paths: string[]) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "origins-"));
  try {
    const paths = records.map((record, i) => {
      const path = join(folder, `${i}.mmdb`);
      writeFileSync(path, buildMmdb({ networks: { "203.0.113.0/24": record, "198.51.100.0/24": { country: "DE" } } }));
      return path;
    });
    return use(paths);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CASES: { made: string; record: Written; origin: (string | null)[] }[] = [
  { made: "MaxMind, country", record: { country: { iso_code: "NL", names: { en: "Netherlands" } } }, origin: ["NL", null, null] },
  { made: "MaxMind, ASN", record: { autonomous_system_number: 64496, autonomous_system_organization: "Example" }, origin: [null, "AS64496", "Example"] },
  { made: "MaxMind, enterprise", record: { country: { iso_code: "NL" }, traits: { autonomous_system_number: 64496, autonomous_system_organization: "E" } }, origin: ["NL", "AS64496", "E"] },
  { made: "DB-IP, country", record: { continent: { code: "EU" }, country: { is_in_european_union: true, iso_code: "NL" } }, origin: ["NL", null, null] },
  { made: "IPinfo, lite", record: { asn: "AS64496", as_name: "Example", as_domain: "example.org", country: "Netherlands", country_code: "NL" }, origin: ["NL", "AS64496", "Example"] },
  { made: "IPinfo, country and ASN", record: { asn: "AS64496", as_name: "Example", country: "nl" }, origin: ["NL", "AS64496", "Example"] },
  { made: "IPinfo, ASN", record: { asn: "AS64496", name: "Example", domain: "example.org", route: "203.0.113.0/24" }, origin: [null, "AS64496", "Example"] },
  { made: "IPinfo, privacy", record: { asn: { asn: "AS64496", name: "Example" }, country: "NL" }, origin: ["NL", "AS64496", "Example"] },
  { made: "IPinfo, bundle", record: { as: { asn: "AS64496", name: "Example" }, country_code: "NL" }, origin: ["NL", "AS64496", "Example"] },
  { made: "nobody: other types", record: { country: "Nowhere", asn: "AS0", as_name: 7, autonomous_system_number: "x" }, origin: [null, null, null] },
];

test.each(CASES)("the keys of $made", ({ record, origin }) => {
  withDatabases([record], paths => {
    const { country, asn, asOrg } = new Origins(paths).of("203.0.113.7");
    expect([country, asn, asOrg]).toEqual(origin);
  });
});

test("of several databases the first that knows counts, number and name of a network together", () => {
  withDatabases([{ country: { iso_code: "NL" } }, { country: "DE", asn: "AS64496" }, { asn: "AS64497", as_name: "Other" }], paths => {
    const origins = new Origins(paths);
    expect(origins.of("203.0.113.7")).toEqual({ country: "NL", asn: "AS64496", asOrg: null });
    expect(describeOrigin(origins.of("203.0.113.7"))).toBe("NL, AS64496");
    expect(origins.of("203.0.113.7")).toBe(origins.of("203.0.113.7"));
    for (const other of ["192.0.2.1", "", "host.example", "2001:db8::1"]) expect(origins.of(other)).toEqual(NO_ORIGIN);
    expect(origins.sources[0]).toEqual({ name: "0.mmdb", type: "Test-Country", day: "2026-08-01" });
  });
});

test("a broken record, and a database of something else, are told in one line with the name of the file", () => {
  const tell = (record: Written, use: (origins: Origins) => void) =>
    withDatabases([record], paths => {
      try {
        use(new Origins(paths));
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    });
  expect(tell(pointer(0), () => {})).toMatch(/^Cannot use ".*0\.mmdb" as an MMDB database: a pointer to a pointer$/);
  withDatabases([{}], ([path]) => {
    writeFileSync(path!, buildMmdb({ networks: { "203.0.113.0/24": { connection_type: "Cable" } } }));
    expect(() => new Origins([path!])).toThrow("neither countries nor networks");
  });
});

describe.skipIf(FORMATS === undefined)(`databases of others${NEEDS_FORMATS}`, () => {
  const folder = resolve(FORMATS ?? ".", "mmdb");

  test("MaxMind's own are read", () => {
    const origins = new Origins(["GeoIP2-Country-Test.mmdb", "GeoLite2-ASN-Test.mmdb"].map(name => join(folder, name)));
    expect(origins.of("89.160.20.112")).toEqual({ country: "SE", asn: "AS29518", asOrg: "Bredband2 AB" });
    expect(origins.of("2001:218::1").country).toBe("JP");
  });

  test("MaxMind's broken ones are refused, each of them", () => {
    const broken = existsSync(join(folder, "bad")) ? readdirSync(join(folder, "bad")) : [];
    expect(broken.length).toBeGreaterThanOrEqual(21);
    for (const name of broken) expect(() => new Origins([join(folder, "bad", name)]), name).toThrow(/^Cannot use "[^\n]*$/);
  });
});
