import { expect, test } from "bun:test";
import { KIND_NAMES } from "../../../lib/reduced/kinds.ts";
import { selectTable } from "../../../lib/reduced/select-table.ts";
import { buildReduced, type LiteralRow, NO_INFO } from "../../support/build.ts";

const ROWS: LiteralRow[] = ["a", "b", "c"].flatMap((sensor, i): LiteralRow[] => [
  { kind: "event", date: "2024-01-01", sensor, key: { eventid: `e${i}`, hour: 4 }, count: 1 },
  { kind: "login", date: "2024-01-02", sensor, key: { username: `u${i}`, password: null }, count: 2, success: 1 },
  { kind: "login", date: "2024-01-02", sensor, key: { username: `u${i}`, password: `u${2 - i}` }, count: 3 },
  { kind: "connect", date: "2024-01-01", sensor, key: { src_ip: `192.0.2.${i}`, dst_port: 0 }, count: 4 },
  { kind: "command", date: "2024-01-03", sensor, key: { input: `i${i}` }, count: 5 },
]);
const select = (isLeft: (row: LiteralRow) => boolean, sensors?: string[]) =>
  buildReduced(ROWS.filter(isLeft), sensors && { ...NO_INFO, parameters: { ...NO_INFO.parameters, sensors } });

test("a part is what the rows that are left would have given", () => {
  const table = buildReduced(ROWS);
  expect(selectTable(table, {})).toEqual(table);
  expect(selectTable(table, { sensors: ["c", "a"] })).toEqual(select(({ sensor }) => sensor !== "b", ["a", "c"]));
  expect(selectTable(table, { sensors: ["b"], kinds: ["login"] })).toEqual(
    select(({ sensor, kind }) => sensor === "b" && (kind === "login" || kind === "event"), ["b"]),
  );
  expect(selectTable(table, { kinds: ["connect"] })).toEqual(select(({ kind }) => kind === "connect" || kind === "event"));
  const none = selectTable(table, { sensors: ["nobody"] });
  expect(KIND_NAMES.map(kind => none.kinds[kind].rows)).toEqual(KIND_NAMES.map(() => 0));
  expect(none.dictionaries.sensor).toEqual([]);
});
