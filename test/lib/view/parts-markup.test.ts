import { describe, expect, test } from "bun:test";
import { toMarkupText } from "../../../lib/view/markup.ts";
import {
  figureMarkup,
  foldedMarkup,
  headCell,
  headName,
  legendMarkup,
  numberHead,
  partMarkup,
  rolePart,
  scrollBox,
  tableMarkup,
} from "../../../lib/view/parts-markup.ts";

const SHORT = { text: "<a>", isLong: false, head: "<a>", isNone: false };

describe("texts", () => {
  test("a long one is folded, a missing one is a word of ours", () => {
    expect(toMarkupText(foldedMarkup(SHORT))).toBe("<code>&lt;a&gt;</code>");
    expect(toMarkupText(foldedMarkup({ text: "a b", isLong: true, head: "a…" }))).toBe(
      '<details class="long"><summary><code>a…</code></summary><code>a b</code></details>',
    );
    expect(toMarkupText(partMarkup({ ...SHORT, isNone: true }))).toBe('<span class="none">&lt;a&gt;</span>');
    expect(toMarkupText(partMarkup(SHORT))).toBe(toMarkupText(foldedMarkup(SHORT)));
  });

  test("what tells it from its neighbours stands before it", () => {
    expect(toMarkupText(rolePart({ ...SHORT, role: "from" }))).toBe('<span class="what">from</span> <code>&lt;a&gt;</code>');
    expect(toMarkupText(rolePart(SHORT))).toBe("<code>&lt;a&gt;</code>");
  });
});

test("a table has a heading a column, said or shown, and its rows", () => {
  const table = tableMarkup(["Day", numberHead("Count"), { name: "Rank", className: "rank", isHidden: true }], [], "t");
  expect(toMarkupText(scrollBox("Days", table))).toBe(
    '<div class="scroll" tabindex="0" role="region" aria-label="Days"><table class="t"><thead><tr><th scope="col">Day</th>' +
      '<th scope="col" class="number">Count</th><th scope="col" class="rank"><span class="hidden">Rank</span></th></tr></thead>' +
      "<tbody></tbody></table></div>",
  );
  expect(toMarkupText(headCell({ name: "A", sort: "descending", title: "t" }, "B"))).toBe('<th scope="col" aria-sort="descending" title="t">B</th>');
  expect(["A", numberHead("B")].map(headName)).toEqual(["A", "B"]);
});

test("a figure tells the past where there is one", () => {
  const plain = '<div class="figure"><b>1</b><span class="what">login</span><span class="note">n</span>';
  const figure = { value: "1", label: "login", note: "n" };
  expect(toMarkupText(figureMarkup(figure))).toBe(`${plain}</div>`);
  expect(toMarkupText(figureMarkup({ ...figure, past: "2 before" }))).toBe(`${plain}<span class="note">2 before</span></div>`);
});

test("a legend names each colour", () => {
  expect(toMarkupText(legendMarkup([{ className: "p-recon", name: "looks" }]))).toBe('<li><i class="p-recon"></i>looks</li>');
});
