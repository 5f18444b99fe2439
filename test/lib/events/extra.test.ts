/** What is read out of `extra`: a value of the type asked for, or none. */
import { expect, test } from "bun:test";
import { Extra } from "../../../lib/events/extra.ts";

test("a value is taken as what it is asked for, or not at all", () => {
  const extra = new Extra('{"a":"x","n":80,"o":{"k":[1]},"z":null,"__proto__":"p","t":true}');
  expect(["a", "n", "o", "z", "__proto__", "toString"].map(key => extra.text(key))).toEqual(
    ["x", undefined, undefined, undefined, "p", undefined],
  );
  expect(["a", "n", "o", "z"].map(key => extra.number(key))).toEqual([undefined, 80, undefined, undefined]);
  expect(["a", "n", "o", "z", "t", "toString"].map(key => extra.shown(key))).toEqual(
    ["x", "80", '{"k":[1]}', undefined, "true", undefined],
  );
});

test("none, and what is no object", () => {
  expect([...new Extra(undefined).all]).toEqual([]);
  for (const json of ["", "[1]", "null", "5", "{"]) expect([...new Extra(json).all]).toEqual([["extra", json]]);
});
