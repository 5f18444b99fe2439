/** The constants that the kernel was compiled with say what the schema says. */
import { expect, test } from "bun:test";
import {
  ACTION,
  NUMBER_COLUMN_NAMES,
  NUMBER_COLUMNS,
  TEXT_COLUMNS,
} from "../../../lib/events/schema.ts";
import { SET_MAX } from "../../../lib/columns/address-sets.ts";
import { KIND_NAMES, KINDS } from "../../../lib/reduced/kinds.ts";
import { ACTIVITIES } from "../../../lib/events/activity-events.ts";
import { TRACES } from "../../../lib/logs/log-sessions.ts";
import { DURATION_STEPS } from "../../../lib/text/duration-steps.ts";
import * as layout from "../../../lib/kernel/layout.ts";

test("columns", () => {
  expect({
    texts: layout.TEXT_COLUMN_COUNT,
    numbers: layout.NUMBER_COLUMN_COUNT,
    eventid: layout.COLUMN_EVENTID,
    session: layout.COLUMN_SESSION,
    sensor: layout.COLUMN_SENSOR,
    protocol: layout.COLUMN_PROTOCOL,
    src_ip: layout.COLUMN_SRC_IP,
    username: layout.COLUMN_USERNAME,
    password: layout.COLUMN_PASSWORD,
    input: layout.COLUMN_INPUT,
    realm: layout.COLUMN_REALM,
    url: layout.COLUMN_URL,
    shasum: layout.COLUMN_SHASUM,
    filename: layout.COLUMN_FILENAME,
    version: layout.COLUMN_VERSION,
    hassh: layout.COLUMN_HASSH,
    fingerprint: layout.COLUMN_FINGERPRINT,
    key: layout.COLUMN_KEY,
    extra: layout.COLUMN_EXTRA,
    positives: layout.NUMBER_POSITIVES,
    total: layout.NUMBER_TOTAL,
    duration: layout.NUMBER_DURATION,
  }).toEqual({
    texts: TEXT_COLUMNS.length,
    numbers: NUMBER_COLUMN_NAMES.length,
    eventid: TEXT_COLUMNS.indexOf("eventid"),
    session: TEXT_COLUMNS.indexOf("session"),
    sensor: TEXT_COLUMNS.indexOf("sensor"),
    protocol: TEXT_COLUMNS.indexOf("protocol"),
    src_ip: TEXT_COLUMNS.indexOf("src_ip"),
    username: TEXT_COLUMNS.indexOf("username"),
    password: TEXT_COLUMNS.indexOf("password"),
    input: TEXT_COLUMNS.indexOf("input"),
    realm: TEXT_COLUMNS.indexOf("realm"),
    url: TEXT_COLUMNS.indexOf("url"),
    shasum: TEXT_COLUMNS.indexOf("shasum"),
    filename: TEXT_COLUMNS.indexOf("filename"),
    version: TEXT_COLUMNS.indexOf("version"),
    hassh: TEXT_COLUMNS.indexOf("hassh"),
    fingerprint: TEXT_COLUMNS.indexOf("fingerprint"),
    key: TEXT_COLUMNS.indexOf("key"),
    extra: TEXT_COLUMNS.indexOf("extra"),
    positives: NUMBER_COLUMN_NAMES.indexOf("positives"),
    total: NUMBER_COLUMN_NAMES.indexOf("total"),
    duration: NUMBER_COLUMN_NAMES.indexOf("duration"),
  });
});

test("kinds of reduced rows", () => {
  expect({
    kinds: layout.KIND_COUNT,
    event: layout.KIND_EVENT,
    lastCommand: layout.KIND_LAST_COMMAND,
    set: layout.SET_MAX_ELEMENTS,
    keys: KIND_NAMES.filter(kind => kind !== "last_command").reduce((most, kind) => Math.max(most, KINDS[kind].length), 0),
    made: [KINDS.event, KINDS.last_command],
  }).toEqual({
    kinds: KIND_NAMES.length,
    event: KIND_NAMES.indexOf("event"),
    lastCommand: KIND_NAMES.indexOf("last_command"),
    set: SET_MAX,
    keys: layout.KIND_KEYS_MAX,
    // As the kernel lays them out.
    made: [
      ["eventid", "hour"],
      ["session", "input", "source", "line"],
    ],
  });
});

test("sessions", () => {
  expect({
    activities: layout.ACTIVITY_COUNT,
    lengths: layout.LENGTH_STEPS,
    whole: layout.REACH_WHOLE,
    both: layout.HAS_BOTH,
    traces: [layout.TRACE_URL, layout.TRACE_DOWNLOAD, layout.TRACE_UPLOAD, layout.TRACE_KEY],
  }).toEqual({
    activities: ACTIVITIES.length,
    lengths: DURATION_STEPS.length,
    whole: layout.REACH_CONNECTED | layout.REACH_CLOSED,
    both: layout.HAS_CONNECT | layout.HAS_CLOSED,
    traces: ["url", "download", "upload", "key"].map(name => Object.keys(TRACES).indexOf(name)),
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
