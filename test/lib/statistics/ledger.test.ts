import { expect, test } from "bun:test";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import {
  buildLedger, countOf, daysSeen, describeValues, firstPlaceOf, firstSeenUs, firstSensorOf, isSeenBy, isSeenByOne, lastSeenUs, listSeenBy, mostFrequent,
} from "../../../lib/statistics/ledger.ts";
import { toValueRows } from "../../../lib/statistics/value-rows.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { dateOf, FIRST_DAY } from "../../support/days.ts";
import { Random } from "../../support/random.ts";

/** The obvious way: everything about a value from a list of its rows. */
test.each([3, 33, 70, 260])("agrees with lists of rows over %d sensors", sensors => {
  const random = new Random(`ledger ${sensors}`);
  const seen = new Map<string, LiteralRow>();
  for (let i = 0; i < 900; i++) {
    const [day, sensor, value, shift] = [random.int(21), random.int(sensors), random.int(41), random.int(4)];
    const firstUs = (FIRST_DAY + day) * 86_400e6 + shift;
    seen.set(`${day} ${sensor} ${value}`, {
      kind: "client", date: dateOf(day), sensor: `s${String(sensor).padStart(3, "0")}`,
      key: { version: value === 40 ? null : `v${value}`, hassh: null },
      count: 1 + shift, firstSeenUs: firstUs, lastSeenUs: firstUs + 10 * shift,
    });
  }
  const table = buildReduced([...seen.values()]);
  const coverage = buildCoverage(table);
  const { rows, textOf } = toValueRows(table, "clientVersion");
  const sinceDay = FIRST_DAY + 9;
  const claimDay = sinceDay + 1;
  const claimDays = Int32Array.from({ length: sensors }, (_, sensor) => claimDay + (sensor % 3));
  const ledger = buildLedger(rows, coverage, { sinceDay, returningAfterDays: 2, claimDay, claimDays });
  const names = table.dictionaries.sensor;
  const dayOf = ({ date }: LiteralRow) => Date.parse(date) / 86_400_000;
  expect(rows.values).toBe(40);
  const described = describeValues(ledger, new Set([0, 7]), names);
  expect([...described.keys()]).toEqual([0, 7]);
  let told = 0;
  for (let value = 0; value < rows.values; value++) {
    const own = [...seen.values()].filter(({ key }) => key.version === textOf(value)[0]);
    const sensorsOf = (list: readonly LiteralRow[]) => [...new Set(list.map(({ sensor }) => sensor))].sort();
    const first = Math.min(...own.map(({ firstSeenUs: us }) => us!));
    const who = sensorsOf(own);
    const into: number[] = [9];
    listSeenBy(ledger, value, into);
    expect({
      first: firstSeenUs(ledger, value),
      last: lastSeenUs(ledger, value),
      count: countOf(ledger, value),
      days: daysSeen(ledger, value),
      by: names[firstSensorOf(ledger, value)],
      who: into.map(sensor => names[sensor]),
      alone: isSeenByOne(ledger, value),
      place: firstPlaceOf(ledger, value),
      returned: ledger.returned.get(value),
      isNewHere: ledger.newHere.includes(value),
    }).toEqual({
      first,
      last: Math.max(...own.map(({ lastSeenUs: us }) => us!)),
      count: own.reduce((sum, { count }) => sum + count, 0),
      days: new Set(own.map(({ date }) => date)).size,
      by: sensorsOf(own.filter(({ firstSeenUs: us }) => us === first))[0],
      who,
      alone: who.length === 1,
      place: Math.min(...own.map(row => (dayOf(row) - coverage.firstDay) * names.length + names.indexOf(row.sensor))),
      returned: [...new Set(own.map(dayOf))].sort((a, b) => a - b).flatMap((on, i, days) => {
        const before = days[i - 1] ?? Infinity;
        return on >= claimDay && on - before >= 2 ? [{ before, on }] : [];
      }).at(-1),
      isNewHere: own.some(row => dayOf(row) < sinceDay) && who.some(sensor => {
        const firstDay = Math.min(...own.filter(one => one.sensor === sensor).map(dayOf));
        return firstDay >= claimDays[names.indexOf(sensor)]!;
      }),
    });
    expect(names.filter((_, sensor) => isSeenBy(ledger, value, sensor))).toEqual(who);
    const entry = described.get(value);
    if (entry === undefined) continue;
    told++;
    const bySensor = who.map(sensor => {
      const rowsOf = own.filter(one => one.sensor === sensor);
      return {
        sensor,
        firstSeenUs: Math.min(...rowsOf.map(one => one.firstSeenUs!)),
        lastSeenUs: Math.max(...rowsOf.map(one => one.lastSeenUs!)),
        count: rowsOf.reduce((sum, { count }) => sum + count, 0),
      };
    });
    bySensor.sort((a, b) => a.firstSeenUs - b.firstSeenUs || (a.sensor < b.sensor ? -1 : 1));
    expect(entry).toEqual({
      type: "clientVersion", value, firstSeenUs: first, lastSeenUs: lastSeenUs(ledger, value), count: countOf(ledger, value), sensors: bySensor,
    });
  }
  const all = Array.from({ length: rows.values }, (_, value) => value);
  expect(told).toBe(2);
  const sorted = [...all].sort((a, b) => countOf(ledger, b) - countOf(ledger, a) || firstSeenUs(ledger, a) - firstSeenUs(ledger, b) || a - b);
  for (const limit of [0, 1, 2, 3, 7, 40, 100]) expect(mostFrequent(all, ledger, limit)).toEqual(limit === 0 ? sorted : sorted.slice(0, limit));
});
