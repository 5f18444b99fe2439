/** A report in one go; runs take its steps with pauses. */
import { calculateReport, type PreparedReport, type ReportOptions } from "../../lib/pages/report.ts";
import { takeAtOnce } from "../../lib/process/pause.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { calculateReportData, type ReportData, type ReportDataOptions } from "../../lib/view/report-data.ts";

/** A page without its style and scripts. */
export function bodyOf(html: string): string {
  return html.replace(/<style>[^]*?<\/style>/, "").replace(/<script[^]*?<\/script>/g, "");
}

export function buildReportData(table: ReducedTable, options: ReportDataOptions): ReportData {
  return takeAtOnce(calculateReportData(table, options));
}

export function prepareReport(table: ReducedTable, options: Parameters<typeof calculateReport>[1]): PreparedReport {
  return takeAtOnce(calculateReport(table, options));
}

export function renderReport(table: ReducedTable, options: ReportOptions): string {
  return prepareReport(table, options).render(options);
}
