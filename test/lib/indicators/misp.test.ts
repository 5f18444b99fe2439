/** MISP events: their schema, the templates of their objects, ids that stay, a manifest that makes a feed. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { type MispEvent, toManifest, toMispEvent } from "../../../lib/indicators/misp.ts";
import { FORMATS, NEEDS_FORMATS } from "../../support/formats.ts";
import { HOSTILE_VALUES, ONE_OF_EACH, toIndicator } from "../../support/indicators.ts";

interface Attribute {
  readonly uuid: string;
  readonly object_relation?: string;
  readonly type: string;
  readonly value: string;
  readonly to_ids: boolean;
}
interface MispObject {
  readonly uuid: string;
  readonly name: string;
  readonly template_uuid: string;
  readonly template_version: string;
  readonly "meta-category": string;
  readonly Attribute: readonly Attribute[];
}

const OPTIONS = { tlp: "amber", org: "Example", about: "test" } as const;
const read = ({ json }: MispEvent) => JSON.parse(json).Event as { uuid: string; info: string; Tag: { name: string }[]; Attribute: Attribute[]; Object: MispObject[] };

describe("an event", () => {
  test("holds every indicator once, as an object of its template or as an attribute", () => {
    const { Object: objects, Attribute: attributes, Tag, info } = read(toMispEvent(ONE_OF_EACH, OPTIONS));
    const told = ({ name, Attribute: own }: MispObject) => [name, ...own.filter(({ type }) => type !== "datetime").map(({ object_relation, value }) => `${object_relation}=${value}`)];
    expect(objects.map(told)).toEqual([
      ["cowrie", "src_ip=5.6.7.8", "session=s1", "sensor=a"],
      ["url", "url=http://evil.net/x?a='1'"],
      ["domain-ip", "domain=evil.net"],
      ["domain-ip", "ip=7.7.7.7"],
      ["file", `sha256=${"ab".repeat(32)}`],
      ["ssh-authorized-keys", `full-line=ssh-rsa AAAA${"b".repeat(40)}`, `key=AAAA${"b".repeat(40)}`],
      ["credential", "username=a\\", "password=' OR 1=1"],
    ]);
    expect(attributes.map(({ type, value, to_ids }) => [type, value, to_ids])).toEqual([
      ["ip-src", "2a01::1", true], ["hassh-md5", "cd".repeat(16), false], ["hostname|port", "victim.org|25", false],
    ]);
    expect(Tag.map(({ name }) => name)).toEqual(["tlp:amber", "honeypot", 'honeypot-basic:interaction-level="medium"']);
    expect(info).toBe("Cowrie honeypots, 2026-08-01 to 2026-08-02: 10 indicators");
  });

  test("is the same for the same indicators, and keeps its ids when they are seen again; each day has one of its own", () => {
    const event = toMispEvent(ONE_OF_EACH, OPTIONS);
    expect(toMispEvent(ONE_OF_EACH, OPTIONS)).toEqual(event);
    const later = toMispEvent(ONE_OF_EACH.map(one => ({ ...one, hits: 99, lastUs: one.lastUs + 1e9 })), OPTIONS);
    const idsOf = (one: MispEvent) => [...one.json.matchAll(/"uuid":"([^"]+)"/g)].map(([, id]) => id);
    expect(idsOf(later)).toEqual(idsOf(event));
    expect(new Set(idsOf(event)).size).toBe(idsOf(event).length);
    const days = [20_666, 20_667].map(day => toMispEvent(ONE_OF_EACH, OPTIONS, day));
    expect(new Set([event, ...days].flatMap(idsOf)).size).toBe(3 * (idsOf(event).length - 1) + 1);
  });

  test("leaves out of a credential what is empty", () => {
    const { Object: objects } = read(toMispEvent([toIndicator({ type: "credential", value: ":", username: "", password: "" }), toIndicator({ type: "credential", value: ":x", username: "", password: "x" })], OPTIONS));
    expect(objects.map(({ Attribute: own }) => own.map(({ value }) => value))).toEqual([["x"]]);
  });
});

describe("the manifest", () => {
  const event = toMispEvent(ONE_OF_EACH, OPTIONS);

  test("names every event, those of earlier runs too, the newer in place of the older", () => {
    const other = toMispEvent(ONE_OF_EACH, { ...OPTIONS, about: "other" });
    const first = toManifest([event], "");
    const both = JSON.parse(toManifest([other], first));
    expect(Object.keys(both)).toEqual([event.uuid, other.uuid].sort());
    expect(Object.keys(both[event.uuid]).sort()).toEqual(["Orgc", "Tag", "analysis", "date", "info", "threat_level_id", "timestamp"]);
    expect(toManifest([event], toManifest([event], ""))).toBe(first);
  });

  test.each(["[]", "x", "null", "7"])("that is none is not written over: %s", text => {
    expect(() => toManifest([event], text)).toThrow("no manifest of a MISP feed");
  });
});

describe.skipIf(FORMATS === undefined)(`schema and templates of MISP${NEEDS_FORMATS}`, () => {
  const load = (name: string) => JSON.parse(readFileSync(join(FORMATS!, "misp", name), "utf8"));
  const hostile = HOSTILE_VALUES.flatMap((text, i) => [
    toIndicator({ type: "url", value: `http://evil.net/${text}` }),
    toIndicator({ type: "address", value: `5.6.8.${i}`, sensors: [text], session: text || "x" }),
    toIndicator({ type: "credential", value: `${text}:x`, username: text, password: "x" }),
  ]);
  const { Object: objects, ...event } = read(toMispEvent([...ONE_OF_EACH, ...hostile], OPTIONS));

  test("the event holds against the schema, which is older than objects", () => {
    const { $schema: _, id: __, ...schema } = load("event-schema.json");
    const validate = new Ajv({ strict: false }).compile(schema);
    const attributes = [...event.Attribute, ...objects.flatMap(({ Attribute: own }) => own)].map(({ object_relation: _relation, ...rest }) => rest);
    expect(validate({ Event: { ...event, Attribute: attributes } }) ? [] : validate.errors).toEqual([]);
    expect(validate({ Event: { ...event, published: "yes" } })).toBe(false);
  });

  test("every object is of its template: relations, types, what is required", () => {
    expect(objects.length).toBeGreaterThan(3);
    for (const one of objects) {
      const template = load(`object-${one.name}.json`);
      expect([one.template_uuid, one.template_version, one["meta-category"]]).toEqual([template.uuid, String(template.version), template["meta-category"]]);
      for (const { object_relation, type } of one.Attribute) expect(template.attributes[object_relation!]?.["misp-attribute"]).toBe(type);
      const relations = one.Attribute.map(({ object_relation }) => object_relation);
      expect(relations.some(relation => template.requiredOneOf.includes(relation))).toBe(true);
    }
  });
});
