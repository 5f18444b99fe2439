import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../lib/process/command.ts";
import {
  checkDays,
  checkInputs,
  checkNames,
  parseChoice,
  parseCount,
  parseNumber,
} from "../../../lib/process/option-values.ts";

test("parseCount() and parseNumber() name their limits", () => {
  expect(parseCount("--jobs", "+64", 1, 64)).toBe(64);
  expect(() => parseCount("--jobs", "65", 1, 64)).toThrow(
    new UsageError('Cannot read --jobs "65": expected a whole number from 1 to 64'),
  );
  expect(() => parseCount("-n", "9007199254740993")).toThrow(UsageError);
  expect(Object.is(parseCount("-n", "-0"), 0)).toBe(true);
  expect(() => parseNumber("--share", "2", -Infinity, 1)).toThrow(
    new UsageError('Cannot read --share "2": expected a number <= 1'),
  );
});

test("parseChoice() names the nearest", () => {
  expect(parseChoice("--by", "day", ["day", "sensor", "hour"])).toBe("day");
  expect(() => parseChoice("--by", "sensro", ["day", "sensor", "hour"])).toThrow(
    new UsageError('Cannot read --by "sensro": expected "day", "sensor" or "hour"; did you mean "sensor"?'),
  );
});

test("checkDays() takes equal days, refuses the wrong order", () => {
  checkDays(5, 5);
  checkDays(undefined, 5);
  expect(() => checkDays(6, 5)).toThrow(
    new UsageError("Cannot use --since 1970-01-07 with --until 1970-01-06: expected --since on or before --until"),
  );
});

test("checkInputs() wants an input, stdin once, and never from a terminal", () => {
  checkInputs(["a", "-"], false);
  expect(() => checkInputs([], true)).toThrow(
    new UsageError('Missing PATH: expected a log, a folder, or "-" for stdin'),
  );
  expect(() => checkInputs(["-", "a", "-"], false)).toThrow(
    new UsageError('Cannot read stdin 2 times: expected "-" once'),
  );
  expect(() => checkInputs(["-"], true)).toThrow(
    new UsageError("Cannot read stdin: it is a terminal, expected a pipe or a file"),
  );
});

describe("checkNames", () => {
  const known = ["hp-ams-01", "hp-nyc-01", "\x1b[2J"];

  test("names what there is not, and the nearest that there is", () => {
    expect(checkNames("sensor", ["hp-ams-01"], known)).toEqual([]);
    expect(checkNames("sensor", ["hp-ams-01", "hp-nycc", "zzz"], known)).toEqual([
      'Cannot find sensor "hp-nycc": did you mean "hp-nyc-01"?',
      'Cannot find sensor "zzz": there are "hp-ams-01", "hp-nyc-01", "\\x1b[2J"',
    ]);
  });

  test("is a usage error where nothing is left", () => {
    expect(() => checkNames("sensor", ["hp-nycc", "hp-nycc"], known)).toThrow(
      new UsageError('Cannot find sensor "hp-nycc": did you mean "hp-nyc-01"?'),
    );
    expect(() => checkNames("sensor", ["a"], [])).toThrow(new UsageError('Cannot find sensor "a": there is none'));
  });
});
