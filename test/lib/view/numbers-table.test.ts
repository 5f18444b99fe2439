import { expect, test } from "bun:test";
import { toSteps } from "../../../lib/view/chart.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { numbersFold } from "../../../lib/view/numbers-table.ts";
import { buildFleet } from "../../support/report-fleet.ts";
import { bodyOf, renderReport } from "../../support/report.ts";

test("a row a step, a column a line; names are told apart, and a line of several says which", () => {
  const lines = [
    { name: "enable", alike: ["sh", "</noscript><script>"], values: [2, null] },
    { name: "w", values: [0.5, undefined] },
  ];
  expect(toMarkupText(numbersFold(toSteps({ first: 19783, last: 19784 }, 1), lines, "x"))).toBe(
    '<details class="more-numbers"><summary>Numbers</summary><div class="scroll numbers" tabindex="0" role="region" aria-label="x"><table>' +
      '<thead><tr><th scope="col">Day</th><th scope="col" class="number" title="enable, and as often on the same days and sensors: sh; &lt;/noscript&gt;&lt;script&gt;">enable +2</th><th scope="col" class="number">w</th></tr></thead>' +
      '<tbody><tr><th scope="row">Fri 1 Mar 2024</th><td class="number">2</td><td class="number">0.50</td></tr>' +
      '<tr><th scope="row">Sat 2 Mar 2024</th><td class="number">no data</td><td class="number"></td></tr></tbody></table></div></details>',
  );
});

test("a name of thirty letters is whole, a longer one is cut", () => {
  const headOf = (name: string) => /class="number"[^>]*>([^<]*)</.exec(toMarkupText(numbersFold(toSteps({ first: 19783, last: 19783 }, 1), [{ name, values: [1] }], "x")))![1]!;
  expect(headOf("n".repeat(30))).toBe("n".repeat(30));
  expect(headOf("n".repeat(31))).toHaveLength(30);
});

test("where no script opens a menu, activity and sensors have their numbers below; of a large fleet the page would be long", () => {
  const foldsOf = (sensors: number) => bodyOf(renderReport(buildFleet({ days: 9, sensors, tail: 5 }), { topN: 2, thresholdPercent: 20, lastDays: 2 })).match(/<noscript><details class="more-numbers">/g)?.length;
  expect(foldsOf(4)).toBe(2);
  expect(foldsOf(50)).toBe(1);
});
