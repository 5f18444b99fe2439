/**
 * The first screen of a report as it is delivered.
 *
 * Tested in `test/lib/pages/history-section.test.ts`.
 */
import { activityLabel, activityLines, activitySteps, buildBehaviours, buildWho, firstListMarkup } from "../view/report-first.ts";
import { type Markup, toMarkupText } from "../view/markup.ts";
import { FOLD_ROWS, numbersFold } from "../view/numbers-table.ts";
import { multiplesChart } from "../view/multiples-chart.ts";
import { chooseSentences, describeTimeline, historyTable, type HistoryData, placeOf, rowsWithin, sentencesMarkup, timelineChart, toMarks } from "../view/report-history.ts";
import { buildFunnel, funnelMarkup } from "../view/report-reach.ts";
import { storiesMarkup } from "../view/report-stories.ts";
import type { Scope } from "../view/report-view.ts";
import { watchMarkup } from "../view/report-watch.ts";
import type { ReportSessions } from "./report-sessions.ts";

/** Width of the small multiples, beside the sentences and without them; and of the timeline. */
const BESIDE_WIDTH = 520;
const WHOLE_WIDTH = 1040;
const STEP_ROOM = 3;

export function toFirstView(scope: Scope, history: HistoryData | undefined, { chains, stories, trails }: Partial<ReportSessions>) {
  const told = history === undefined ? [] : chooseSentences(history, scope.filter);
  const isBeside = told.length > 0 || stories !== undefined;
  const width = isBeside ? BESIDE_WIDTH : WHOLE_WIDTH;
  const steps = activitySteps(scope, width / STEP_ROOM);
  const lines = activityLines(scope, steps);
  const label = activityLabel(steps);
  const rows = activitySteps(scope, FOLD_ROWS);
  const behaviours = buildBehaviours(scope, chains);
  return {
    isBeside,
    stories: stories === undefined || trails === undefined ? false : asMarkup(...storiesMarkup(scope, stories, trails)),
    told: history === undefined || told.length === 0 ? false : asMarkup(...sentencesMarkup(told, row => placeOf(history, row))),
    activity: {
      unit: label,
      svg: toMarkupText(multiplesChart(lines, steps, width, label, toMarks(told)).svg),
      numbers: asMarkup(numbersFold(rows, activityLines(scope, rows), activityLabel(rows))),
    },
    funnel: asMarkup(...funnelMarkup(buildFunnel(scope))),
    behaviours:
      // Stories say the same, and more.
      behaviours.rows.length === 0 || stories !== undefined
        ? false
        : { ...asMarkup(firstListMarkup(behaviours, chains === undefined ? "commands" : "sessions")), unit: chains === undefined ? "commands" : "" },
    watch: asMarkup(...watchMarkup(scope)),
    who: asMarkup(firstListMarkup(buildWho(scope), "connections")),
  };
}

function asMarkup(...parts: readonly Markup[]): { markup: string } {
  return { markup: toMarkupText(parts) };
}

/** The section of the timeline; undefined where nothing is known of what happened. */
export function toTimelineView(scope: Scope, history: HistoryData) {
  const rows = rowsWithin(history, scope.filter);
  const { svg } = timelineChart(rows, scope.filter.range, WHOLE_WIDTH, row => history.rows.indexOf(row));
  return { lead: describeTimeline(rows, history.found, true), svg: toMarkupText(svg), table: historyTable(rows), hasRows: rows.length > 0 };
}
