/** The constants that the kernel was compiled with say what the schema says. */
import { expect, test } from "bun:test";
import {
  ACTION,
  NUMBER_COLUMN_NAMES,
  NUMBER_COLUMNS,
  TEXT_COLUMNS,
} from "../../../lib/events/schema.ts";
import * as layout from "../../../lib/kernel/layout.ts";

test("columns", () => {
  expect({
    texts: layout.TEXT_COLUMN_COUNT,
    numbers: layout.NUMBER_COLUMN_COUNT,
    eventid: layout.COLUMN_EVENTID,
    protocol: layout.COLUMN_PROTOCOL,
    extra: layout.COLUMN_EXTRA,
  }).toEqual({
    texts: TEXT_COLUMNS.length,
    numbers: NUMBER_COLUMN_NAMES.length,
    eventid: TEXT_COLUMNS.indexOf("eventid"),
    protocol: TEXT_COLUMNS.indexOf("protocol"),
    extra: TEXT_COLUMNS.indexOf("extra"),
  });
});

test("number columns stand in the order of their types", () => {
  const types = NUMBER_COLUMN_NAMES.map(name => NUMBER_COLUMNS[name]);
  const expected = types.map((_, column) =>
    column < layout.UINT16_COLUMNS
      ? "uint16"
      : column < layout.UINT16_COLUMNS + layout.UINT32_COLUMNS
        ? "uint32"
        : "float64",
  );
  expect(types).toEqual(expected);
});

test("actions", () => {
  expect(ACTION).toEqual({
    extra: layout.ACTION_EXTRA,
    text: layout.ACTION_TEXT,
    whole: layout.ACTION_WHOLE,
    duration: layout.ACTION_DURATION,
    durationMs: layout.ACTION_DURATION_MS,
    timestamp: layout.ACTION_TIMESTAMP,
    message: layout.ACTION_MESSAGE,
    system: layout.ACTION_SYSTEM,
    drop: layout.ACTION_DROP,
  });
  expect(Object.values(ACTION)).not.toContain(layout.ACTION_END);
});
