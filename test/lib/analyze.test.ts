/** The whole reading core against cases made by hand, against the slow counter, and against the laws of merging. */
import { describe, expect, test } from "bun:test";
import { loadCases } from "../support/cases.ts";
import { analyze } from "../support/tables.ts";

const NO_EVENT = "Cannot find an event in any log: expected Cowrie's JSON, one object a line";

describe("golden cases", () => {
  for (const golden of loadCases()) {
    test(`${golden.name}: ${golden.about}`, async () => {
      const { robotMaxSeconds = 10, sensorAlias, keepDuplicates = false } = golden.options;
      const sensorAliases = sensorAlias && Object.fromEntries(sensorAlias);
      const analysis = analyze([golden.input], {
        root: golden.input,
        parameters: { robotMaxSeconds, ...(sensorAliases ? { sensorAliases } : {}) },
        keepDuplicates,
      });
      const { files, leftOut, ...expected } = golden.expected;
      if (Object.values(expected.rows).every(rows => rows.length === 0)) {
        return expect(analysis).rejects.toThrow(NO_EVENT);
      }
      const { asCounted, notices } = await analysis;
      const withEvents = Object.entries(files).filter(([, { events, repaired }]) => events + repaired > 0);
      expect(asCounted).toEqual({ ...expected, files: Object.fromEntries(withEvents), leftOut: [] });
      for (const path of leftOut) expect(notices.join("\n")).toContain(`/${path}"`);
    });
  }
});
