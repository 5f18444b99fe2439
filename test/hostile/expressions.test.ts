/**
 * Every regular expression of the toolkit takes time that grows with the length of a text and not faster, whatever the
 * text: attackers wrote most of what these expressions meet.
 */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { join } from "node:path";
import { MASKS, SSH_KEY } from "../../lib/text/masks.ts";
import { ROOT } from "../support/run.ts";
import { measureGrowth } from "../support/growth.ts";
import { type Attack, buildAttack, Expression, findLiterals, TooManySteps } from "./expressions.ts";

const SOURCES = ["lib", "scripts", "templates"].flatMap(folder =>
  [...new Glob(`${folder}/**/*.{ts,js}`).scanSync(ROOT)].sort(),
);
const textOf = (file: string) => Bun.file(join(ROOT, file)).text();

/** Each once, with the first place where it stands. */
const EXPRESSIONS = new Map<string, { source: string; flags: string; place: string }>();
const add = (source: string, flags: string, place: string) => {
  const name = `/${source}/${flags}`;
  if (!EXPRESSIONS.has(name)) EXPRESSIONS.set(name, { source, flags, place });
};
for (const file of SOURCES) {
  for (const { source, flags, line } of findLiterals(await textOf(file))) add(source, flags, `${file}:${line}`);
}
for (const { what, pattern } of MASKS) add(pattern.source, pattern.flags, `mask of ${what}`);
add(SSH_KEY.source, SSH_KEY.flags, "SSH_KEY");

/** Steps of a text eight times as long: eight times as many, with room for what is the same in both. */
const GROWTH_MOST = 16;
/** A bound of a repetition multiplies the steps; by more than this, and a text of a megabyte takes seconds. */
const STEPS_PER_UNIT_MOST = 600;

/** Fault of an expression, with the text that shows it, and the text that cost most. */
function attack(expression: Expression): { fault?: string; worst: Attack; stepsPerUnit: number } {
  // Below its own bounds an expression has not yet shown how it grows.
  const length = Math.max(256, 4 * expression.largestBound);
  let stepsPerUnit = 0;
  let worst: Attack = { beginning: "", pumps: ["a"], end: "" };
  for (const one of expression.attacks()) {
    const short = buildAttack(one, length);
    const long = buildAttack(one, 8 * length);
    const name = () => `${JSON.stringify(one)} of ${length} to ${8 * length}`;
    try {
      const { steps } = expression.search(short, STEPS_PER_UNIT_MOST * short.length);
      const { steps: moreSteps } = expression.search(long, Math.max(GROWTH_MOST * steps, 8 * length));
      if (moreSteps / long.length > stepsPerUnit) {
        stepsPerUnit = moreSteps / long.length;
        worst = one;
      }
    } catch (error) {
      if (!(error instanceof TooManySteps)) throw error;
      return { fault: `${name()}: more than ${error.message}`, worst: one, stepsPerUnit };
    }
  }
  return { worst, stepsPerUnit };
}

describe("the counting engine", () => {
  test("matches what the real one matches", () => {
    for (const { source, flags, place } of EXPRESSIONS.values()) {
      const expression = new Expression(source, flags);
      const real = new RegExp(source, flags.includes("g") ? flags : `${flags}g`);
      for (const one of expression.attacks()) {
        const text = buildAttack(one, 200);
        const all = Array.from(text.matchAll(real), match => [match.index, match.index + match[0].length]);
        const wanted = flags.includes("g") ? all : all.slice(0, 1);
        const { matches } = expression.search(text, 1e6);
        expect({ place, source, text, matches }).toEqual({ place, source, text, matches: wanted as [number, number][] });
      }
    }
  });

  test.each([
    { name: "a run that is tried from each of its characters", source: "a+b", flags: "" },
    { name: "two runs of the same", source: "^\\s*=\\s*(.*?)\\s*$", flags: "" },
    { name: "a cubic one", source: "(?:\\\\+x[0-9a-f]{2}){4,}.*>", flags: "i" },
    { name: "an exponential one", source: "^(a|a)*$", flags: "" },
    { name: "a nest", source: "^(?:a+)+$", flags: "" },
    { name: "lines that are blank", source: "^\\s*x", flags: "gm" },
    { name: "a look ahead from everywhere", source: "\\B(?=(\\d{3})+$)", flags: "g" },
  ])("finds out $name", ({ source, flags }) => {
    expect(attack(new Expression(source, flags)).fault).toBeString();
  });

  test("finds the expressions of a source, whatever stands round them", () => {
    const source = 'const a = b / c; /* /no/ */ x(/[/"]\\/`/g, "/no/", `${d! / 2} /no/ ${/yes/}`); // /no/\nreturn /a{2}/m.test(e) / 2;';
    expect(findLiterals(source).map(({ source, flags }) => `${source} ${flags}`)).toEqual(['[/"]\\/` g', "yes ", "a{2} m"]);
  });
});

test("expressions put together at run time are those listed here", async () => {
  const places: string[] = [];
  for (const file of SOURCES) if (/\bRegExp\(/.test(await textOf(file))) places.push(file);
  // text.ts gives one of its literals another flag.
  expect(places).toEqual(["lib/text/masks.ts", "lib/text/text.ts"]);
});

describe("grows no faster than its text", () => {
  test.each([...EXPRESSIONS.values()].map(one => [`${one.place} /${one.source}/${one.flags}`, one] as const))(
    "%s",
    (_name, { source, flags }) => {
      const { fault, worst, stepsPerUnit } = attack(new Expression(source, flags));
      expect(fault).toBeUndefined();
      // The engine that will meet it, up to a megabyte: the steps above say that this ends.
      const expressionOf = new RegExp(source, flags.includes("g") ? flags : `${flags}g`);
      const [short, long] = [buildAttack(worst, 2 ** 17), buildAttack(worst, 2 ** 20)];
      const growth = measureGrowth(text => text.replace(expressionOf, ""), { short, long, leastMs: 10, most: 64 });
      expect(growth, `${JSON.stringify(worst)}, ${stepsPerUnit} steps a character`).toBeLessThan(64);
    },
  );
});
