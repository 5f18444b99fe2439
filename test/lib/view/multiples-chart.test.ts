import { expect, test } from "bun:test";
import { toSteps } from "../../../lib/view/chart.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { multiplesChart } from "../../../lib/view/multiples-chart.ts";

const STEPS = toSteps({ first: 100, last: 104 }, 1);
const draw = (values: (number | null)[], marks = [{ nth: 1, first: 101, last: 101 }]) =>
  toMarkupText(multiplesChart([{ name: "a & <b>", values }], STEPS, 700, "label", marks).svg);

test("a row is on its own scale: its peak has the same height whatever it is, and is named", () => {
  const heightOf = (text: string) => Math.max(...[...text.matchAll(/v-([\d.]+)H/g)].map(([, height]) => Number(height)));
  const [small, large] = [draw([0, 1, 2, 4, 1]), draw([0, 1000, 2000, 4000, 1000])];
  expect(heightOf(small)).toBe(heightOf(large));
  expect(small).toContain(">4</text>");
  expect(large).toContain(">4k</text>");
  expect(small).toContain("a &amp; &lt;b&gt;");
});

test("what little there is is seen, nothing is not, and days without a watch are hatched", () => {
  expect(draw([0, 1, 0, 5000, 0]).match(/v-[\d.]+H/g)).toHaveLength(2);
  expect(draw([0, 0, 0, 0, 0])).toContain(">none</text>");
  expect(draw([1, null, null, 4, 1])).toContain('class="hatched"');
  expect(draw([1, 2, 3, 4, 1])).not.toContain('class="hatched"');
});

test("marks of the same day stand side by side, and inside the picture", () => {
  const { left } = multiplesChart([{ name: "a", values: [1, 2, 3, 4, 1] }], STEPS, 700, "label").plot;
  for (const day of [100, 104]) {
    const text = draw([1, 2, 3, 4, 1], Array.from({ length: 12 }, (_, i) => ({ nth: i + 1, first: day, last: day })));
    const places = [...text.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x));
    expect(places).toHaveLength(12);
    places.slice(1).forEach((place, i) => expect(place - places[i]!).toBeGreaterThan(15));
    expect(Math.min(...places)).toBeGreaterThanOrEqual(left);
    expect(Math.max(...places)).toBeLessThan(700);
  }
});
