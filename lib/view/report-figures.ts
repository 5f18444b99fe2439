/** The figures at the top of a report and its heading, for the days and sensors chosen. Tested in `test/lib/view/report-view.test.ts`. */
import { dayCount } from "./axis.ts";
import { sumCells } from "./cells.ts";
import { countDistinctValues, distinctText, type DistinctValue } from "./distinct-values.ts";
import { formatNumber, plural, toIsoDay } from "../text/format.ts";
import { toLongDay, toShort } from "../text/labels.ts";
import { acceptedText, describePeriod } from "./report-first.ts";
import type { FigureView } from "./parts-markup.ts";
import { countConnecting } from "./report-reach.ts";
import type { SectionData } from "./section-keys.ts";
import { type PeriodComparison, type Scope, sensorLives, sensorName } from "./report-view.ts";

/** The figures at the top of the page. */
export function buildFigures(scope: Scope): FigureView[] {
  const { data, filter, comparison } = scope;
  const figures: FigureView[] = [];
  const add = (id: string, one: string, many: string, note: (section: SectionData) => string) => {
    const section = data.sections.find(candidate => candidate.id === id);
    if (section === undefined) return;
    const value = sumCells(section.all, data.grid, filter);
    const past = comparison && describePast(section, comparison);
    figures.push({ value: toFigure(value), label: value === 1 ? one : many, note: note(section), ...(past !== undefined && { past }) });
  };
  const describePast = (section: SectionData, { now, before }: PeriodComparison) => {
    const [count, countBefore] = [now, before].map(period => sumCells(section.all, data.grid, period)) as [number, number];
    if (count === 0 && countBefore === 0) return undefined;
    const days = dayCount(now.range);
    const earlier = `${toFigure(countBefore)} in the ${days === 1 ? "day" : `${formatNumber(days)} days`} before`;
    return days === dayCount(filter.range) ? earlier : `${toFigure(count)} in the last ${plural(days, "day")}, ${earlier}`;
  };
  add("credentials", "login attempt", "login attempts", section => {
    const all = sumCells(section.all, data.grid, filter);
    const success = sumCells(section.allSuccess!, data.grid, filter);
    if (all === 0) return "none";
    if (data.unknown?.success === "all") return "accepted or not: not known";
    return `${atLeast(data.unknown?.success)}${acceptedText(success / all, data.unknown)}`;
  });
  add("connections", "connection", "connections", () => {
    const connecting = countConnecting(scope);
    if (connecting === undefined) return `from ${describeDistinct(scope, "addresses", "address", "addresses")}`;
    return `from ${atLeast(data.unknown?.cut)}${distinctText(connecting, "address", "addresses")}`;
  });
  if (!data.sections.some(section => section.id === "connections")) {
    add("lengths", "session", "sessions", () => `from ${describeDistinct(scope, "addresses", "address", "addresses")}`);
  }
  add("commands", "command", "commands", () => describeDistinct(scope, "commands", "distinct", "distinct"));
  add("downloads", "download", "downloads", () => {
    const files = describeDistinct(scope, "files", "file", "files");
    return data.distinct.flagged.total > 0 ? `${files}, ${describeDistinct(scope, "flagged", "flagged", "flagged")}` : files;
  });
  // Logs without logins, sessions and commands still hold events.
  if (figures.length < 2) {
    const events = sumCells(data.events, data.grid, filter);
    figures.push({ value: toFigure(events), label: events === 1 ? "event" : "events", note: "of every type" });
  }
  figures.push(watchFigure(scope));
  return figures;
}

/** How much was watched: hours where they are known, else days on which anything was logged. */
function watchFigure(scope: Scope): FigureView {
  const { data, filter } = scope;
  const logged = scope.watched.reduce((sum, n) => sum + n, 0);
  const possible = countLivedDays(scope);
  const ofAll = `of ${plural(possible, "sensor-day")} between first and last event`;
  // Each sensor may have been up as long as it lived, and years may lie between one and the next.
  const empty = countSilentDays(scope);
  const nobody = empty > 0 ? `no sensor on ${formatNumber(empty)} of ${plural(scope.watched.length, "day")}` : undefined;
  if (data.watchedHours === undefined) {
    const label = logged === 1 ? "sensor-day with logs" : "sensor-days with logs";
    return { value: formatNumber(logged), label, note: logged < possible ? ofAll : (nobody ?? "no day without") };
  }
  const hours = sumCells(data.watchedHours, data.grid, filter);
  const value = formatNumber(hours / 24, hours % 24 === 0 ? 0 : 1);
  const silent = possible > logged ? `, ${formatNumber(possible - logged)} without logs` : "";
  const label = hours === 24 ? "sensor-day watched" : "sensor-days watched";
  return { value, label, note: hours < 24 * possible ? `${ofAll}${silent}` : (nobody ?? "no gap") };
}

/** Days on which no chosen sensor had an event. */
function countSilentDays({ watched }: Scope): number {
  return watched.reduce((sum, sensors) => sum + Number(sensors === 0), 0);
}

/** The page's heading, and below it which days and sensors it speaks of. */
export function describeHeadline(scope: Scope): { heading: string; lede: string } {
  const { range, sensors } = scope.filter;
  const days = dayCount(range);
  const active = days - countSilentDays(scope);
  const { others } = scope.data.grid;
  const hasOthers = others !== undefined && sensors[others] === 1;
  // What stands for many is no sensor.
  const chosen = sensors.reduce((sum, one) => sum + one, 0) - (hasOthers ? 1 : 0);
  const number = sensors.length - (others === undefined ? 0 : 1);
  const all = plural(number, "sensor");
  return {
    heading: active === 0 ? "No events" : describePeriod(scope),
    lede:
      (days === 1 ? `${toLongDay(range.first)} UTC, ` : `${toIsoDay(range.first)} to ${toIsoDay(range.last)} UTC, `) +
      (chosen === number ? all : `${formatNumber(chosen)} of ${all}`) +
      (hasOthers ? ` and ${sensorName(scope.data, others)}` : ""),
  };
}

/** Seven digits are read; more are not. */
function toFigure(value: number): string {
  return value < 1e7 ? formatNumber(value) : toShort(value);
}

/** How many distinct values the filter holds, in words. */
function describeDistinct({ data, filter }: Scope, value: DistinctValue, one: string, many: string): string {
  return atLeast(data.unknown?.cut) + distinctText(countDistinctValues(data.distinct[value], data.grid, filter), one, many);
}

/** Before a number that the sources do not hold all of. */
function atLeast(unknown: "some" | "all" | undefined): string {
  return unknown === undefined ? "" : "at least ";
}

/** Sensor-days between each chosen sensor's first and last event, as far as the filter shows them. */
function countLivedDays(scope: Scope): number {
  const { range, sensors } = scope.filter;
  return sensorLives(scope.data).reduce((sum, life, sensor) => {
    if (life === undefined || sensors[sensor] !== 1) return sum;
    return sum + Math.max(0, Math.min(life.last, range.last) - Math.max(life.first, range.first) + 1);
  }, 0);
}
