/** STIX 2.1: what the schemas say of a bundle, and that every value comes back from its pattern as the log has it. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import type { Indicator } from "../../../lib/indicators/indicator.ts";
import { indicatorsToStix, toPattern } from "../../../lib/indicators/stix.ts";
import { FORMATS, NEEDS_FORMATS } from "../../support/formats.ts";
import { HOSTILE_VALUES, ONE_OF_EACH, toIndicator } from "../../support/indicators.ts";

type Stix = Record<string, unknown> & { readonly type: string; readonly id: string };

const TECHNIQUES_USED = ["T1105", "T1098.004"].map(value => ({ value, sessions: 5 }));
const CAMPAIGNS = new Map(
  ["a1b2c3d4", "90bc90bc"].map(id => [id, { id, name: "</script>'", firstUs: 0, lastUs: 1e12, sessions: 7, techniques: TECHNIQUES_USED }]),
);

const bundleOf = (indicators: readonly Indicator[]) => {
  const text = [...indicatorsToStix(indicators, { tlp: "green", org: "Example" }, CAMPAIGNS)].join("");
  return { text, ...(JSON.parse(text) as { id: string; objects: Stix[] }) };
};

/** The texts of a pattern, its escapes taken away. */
function textsOf(pattern: string): string[] {
  return [...pattern.matchAll(/(?:=|LIKE) '((?:[^'\\]|\\['\\])*)'/g)].map(([, text]) => text!.replace(/\\(.)/gs, "$1"));
}

describe("patterns", () => {
  test("have the form of their type", () => {
    expect(ONE_OF_EACH.map(toPattern)).toEqual([
      "[ipv4-addr:value = '5.6.7.8']",
      "[ipv6-addr:value = '2a01::1']",
      "[url:value = 'http://evil.net/x?a=\\'1\\'']",
      "[domain-name:value = 'evil.net']",
      "[ipv4-addr:value = '7.7.7.7']",
      `[file:hashes.'SHA-256' = '${"ab".repeat(32)}']`,
      `[process:command_line LIKE '%ssh-rsa AAAA${"b".repeat(40)}%']`,
      `[network-traffic:x_hassh = '${"cd".repeat(16)}']`,
      "[user-account:user_id = 'a\\\\' AND user-account:credential = '\\' OR 1=1']",
      "[network-traffic:dst_ref.value = 'victim.org' AND network-traffic:dst_port = 25]",
    ]);
  });

  test("give back whatever an attacker wrote, and hold nothing else", () => {
    for (const text of [...HOSTILE_VALUES, "'", "\\", "\\'", "' OR [url:value = 'x']", "%", "_", "\n"]) {
      const credential = toIndicator({ type: "credential", value: `${text}:${text}`, username: text, password: text });
      expect(textsOf(toPattern(credential))).toEqual([text, text]);
      const url = toIndicator({ type: "url", value: `http://evil.net/${text}` });
      const pattern = toPattern(url);
      expect(textsOf(pattern)).toEqual([`http://evil.net/${text}`]);
      // Outside of its one text the pattern is what we wrote.
      expect(pattern.replace(/'(?:[^'\\]|\\['\\])*'/g, "T")).toBe("[url:value = T]");
    }
  });
});

describe("a bundle", () => {
  test("is the same for the same indicators, every id once, every reference there", () => {
    const { text, objects } = bundleOf(ONE_OF_EACH);
    expect(bundleOf(ONE_OF_EACH).text).toBe(text);
    const ids = objects.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const references = objects.flatMap(object =>
      Object.entries(object).flatMap(([key, value]) => (/_refs?$/.test(key) ? [value].flat() : [])),
    ) as string[];
    expect(references.length).toBeGreaterThan(30);
    expect(references.filter(id => !ids.includes(id))).toEqual([]);
  });

  test("keeps the ids of its objects when days are added", () => {
    const [one] = ONE_OF_EACH;
    const later = { ...one!, lastUs: one!.lastUs + 86_400e6, hits: 9, days: 2, sightings: one!.sightings.map(own => ({ ...own, hits: 9 })) };
    const before = bundleOf([one!]).objects;
    expect(bundleOf([later]).objects.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  });

  test("gives observables the ids that everybody gives them", () => {
    // The examples of the specification.
    const { objects } = bundleOf([toIndicator({ type: "host", value: "example.com" }), toIndicator({ type: "address", value: "198.51.100.3" })]);
    const ids = objects.flatMap(({ type, id }) => (type === "domain-name" || type === "ipv4-addr" ? [id] : []));
    expect(ids).toEqual(["domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7", "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"]);
  });

  test("tells indicators, sightings and observed data of each sensor, and the network of an address", () => {
    const { objects } = bundleOf([
      toIndicator({ type: "address", value: "5.6.7.8", origin: { country: "NL", asn: "AS64496", asOrg: "Example" }, sensors: ["a", ""] }),
    ]);
    expect(objects.map(({ type }) => type)).toEqual([
      "marking-definition", "identity", "indicator", "ipv4-addr", "autonomous-system",
      "identity", "observed-data", "sighting", "identity", "observed-data", "sighting",
    ]);
    const indicator = objects[2]!;
    expect(indicator).toMatchObject({
      valid_from: "2026-08-01T00:00:00.000Z", valid_until: "2026-09-01T00:00:00.000Z", labels: ["honeypot", "cowrie", "address"], confidence: 60,
    });
    expect(objects[4]).toMatchObject({ number: 64496, name: "Example" });
    expect(objects[7]).toMatchObject({ sighting_of_ref: indicator.id, count: 3, observed_data_refs: [objects[6]!.id], where_sighted_refs: [objects[5]!.id] });
  });

  test("tells each campaign once, and which indicators tell it", () => {
    const { objects } = bundleOf(["5.6.7.8", "5.6.7.9"].map(value => toIndicator({ type: "address", value, campaigns: ["a1b2c3d4"] })));
    const [campaign, ...others] = objects.filter(({ type }) => type === "campaign");
    expect({ others, name: campaign!.name }).toEqual({ others: [], name: "a1b2c3d4 </script>'" });
    const relations = objects.filter(({ relationship_type: type }) => type === "indicates");
    expect(relations.map(({ target_ref }) => target_ref)).toEqual([campaign!.id, campaign!.id]);
  });

  test("tells what each campaign uses by the ids of ATT&CK, every technique once", () => {
    const { objects } = bundleOf([toIndicator({ type: "address", value: "5.6.7.8", campaigns: ["a1b2c3d4", "90bc90bc"] })]);
    const patterns = objects.filter(({ type }) => type === "attack-pattern");
    expect(patterns).toMatchObject([
      { name: "Ingress Tool Transfer", kill_chain_phases: [{ phase_name: "command-and-control" }], external_references: [{ source_name: "mitre-attack", external_id: "T1105" }] },
      { name: "SSH Authorized Keys", external_references: [{ external_id: "T1098.004", url: "https://attack.mitre.org/techniques/T1098/004" }] },
    ]);
    const campaigns = objects.filter(({ type }) => type === "campaign");
    const uses = objects.filter(({ relationship_type: type }) => type === "uses");
    expect(uses.map(({ source_ref, target_ref }) => [source_ref, target_ref])).toEqual(campaigns.flatMap(({ id }) => patterns.map(pattern => [id, pattern.id])));
    // An object of nobody's is the same for everybody.
    expect(patterns[0]).not.toHaveProperty("created_by_ref");
    expect(patterns[0]!.id).toMatch(/^attack-pattern--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/);
  });

  test("without an indicator is whole all the same", () => {
    expect(bundleOf([]).objects.map(({ type }) => type)).toEqual(["marking-definition", "identity"]);
  });
});

describe.skipIf(FORMATS === undefined)(`the schemas of STIX 2.1${NEEDS_FORMATS}`, () => {
  const folder = join(FORMATS ?? ".", "stix-2.1/schemas");

  function validator() {
    const ajv = new Ajv2020({ strict: false, unicodeRegExp: false });
    ajv.addFormat("uri", /^[a-z][a-z0-9+.-]*:[\w.~:/?#[\]@!$&'()*+,;=%-]+$/i);
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (path.endsWith(".json")) ajv.addSchema(JSON.parse(readFileSync(join(folder, path), "utf8")));
    }
    const base = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas";
    return (object: Stix) => {
      const room = ["attack-pattern", "campaign", "identity", "indicator", "observed-data"].includes(object.type)
        ? "sdos"
        : ["sighting", "relationship"].includes(object.type) ? "sros" : ["marking-definition", "bundle"].includes(object.type) ? "common" : "observables";
      const validate = ajv.getSchema(`${base}/${room}/${object.type}.json`)!;
      return validate(object) ? [] : (validate.errors ?? []).map(error => `${object.type} ${error.instancePath} ${error.message}`);
    };
  }

  test("hold for every object of a bundle, whatever attackers wrote", () => {
    const check = validator();
    const hostile = HOSTILE_VALUES.flatMap(text => [
      toIndicator({ type: "url", value: `http://evil.net/${text}` }),
      toIndicator({ type: "credential", value: `${text}:x`, username: text, password: "x" }),
      toIndicator({ type: "hash", value: "ab".repeat(32), sensors: [text], campaigns: ["a1b2c3d4"] }),
    ]);
    const { text, objects } = bundleOf([...ONE_OF_EACH, ...hostile]);
    expect(objects.flatMap(check)).toEqual([]);
    expect(check(JSON.parse(text))).toEqual([]);
    // The check can fail.
    expect(check({ ...objects.find(({ type }) => type === "indicator")!, valid_from: "yesterday" })).toHaveLength(1);
  });
});
