import { expect, test } from "bun:test";
import { BASE_STYLE, cardsWithoutScript, toCardTable } from "../../../lib/pages/page-style.ts";

test("the shared style lays tables out as cards where the script says so, never by itself", () => {
  expect(BASE_STYLE).toContain("@media screen {\n/* Tables that do not fit");
  expect(BASE_STYLE).toContain(".cards table");
  expect(BASE_STYLE).not.toContain("scripting: none");
});

test("without a script every table of a narrow window is cards, and each field is named", () => {
  const style = cardsWithoutScript([{ selector: "#a > .scroll", names: ["Rank", "First seen"] }]);
  expect(style).toStartWith("@media screen and (max-width: 700px) and (scripting: none) {\n");
  expect(style).not.toContain(".cards");
  expect(style).toContain(".scroll tbody tr {");
  expect(style).toContain('#a > .scroll { --n1: "Rank"; --n2: "First seen"; }');
});

test("a column that bears a sensor's name cannot leave its string", () => {
  const names = ['"}</style><script>', "a\\", "\u{1f600}\n"];
  const style = cardsWithoutScript([toCardTable({ id: 'x"]', columns: names.map(name => ({ name, className: "" })) })]);
  const rule = style.split("\n").at(-3)!;
  expect(rule).toBe(
    '[data-table-name="x\\22 \\5d "] { --n1: "\\22 \\7d \\3c \\2f style\\3e \\3c script\\3e "; --n2: "a\\5c "; --n3: "\\1f600 \\a "; }',
  );
});
