/**
 * What is counted of attackers' doing, and of which events.
 *
 * Tested in `test/lib/view/report-first.test.ts` and `test/lib/sessions/peak-counts.test.ts`.
 */
export const ACTIVITY_EVENTS = {
  logins: ["cowrie.login.success", "cowrie.login.failed"],
  accepted: ["cowrie.login.success"],
  commands: ["cowrie.command.input"],
  downloads: ["cowrie.session.file_download"],
  "proxy requests": ["cowrie.direct-tcpip.request"],
} as const satisfies Record<string, readonly string[]>;
export type Activity = keyof typeof ACTIVITY_EVENTS;
export const ACTIVITIES = Object.keys(ACTIVITY_EVENTS) as Activity[];
