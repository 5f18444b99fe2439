/** SSH keys planted and offered: added up exactly, shown on the page, left out where there are none. */
import { expect, test } from "bun:test";
import { addKeys } from "../../../lib/reduced/add-keys.ts";
import { rowsOf } from "../../../lib/reduced/origin-kinds.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { publicKeysOf } from "../../../lib/text/ssh-keys.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildReportData, renderReport } from "../../support/report.ts";

const RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDhostile0001";
const ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHostile0002";
const [rsa, ed] = [RSA, ED].map(text => publicKeysOf(text)[0]!) as [ReturnType<typeof publicKeysOf>[0], ReturnType<typeof publicKeysOf>[0]];

const typed = (date: string, sensor: string, input: string, count: number): LiteralRow => ({ kind: "command", date, sensor, key: { input }, count });
const offered = (date: string, sensor: string, key: string | null, fingerprint: string | null, count: number): LiteralRow => ({
  kind: "client_key",
  date,
  sensor,
  key: { key, fingerprint },
  count,
});
const EVIL = "<script>alert(1)</script>";
const ROWS = [
  // The same key in two lines of a day is one row; a line with two keys counts for each.
  typed("2026-08-01", "a", `echo ${RSA} x >> .ssh/authorized_keys`, 1),
  typed("2026-08-01", "a", `echo ${RSA} y; echo ${ED} z`, 2),
  typed("2026-08-01", "a", "uname -a", 4),
  typed("2026-08-02", "a", `echo ${RSA} x >> .ssh/authorized_keys`, 8),
  offered("2026-08-02", "b", `${RSA} other`, rsa.md5, 16),
  // Older logs: the fingerprint alone, of a key that stands elsewhere, and of one that does not.
  offered("2026-08-03", "b", null, rsa.md5, 32),
  offered("2026-08-03", "b", null, EVIL, 64),
  offered("2026-08-03", "b", null, null, 128),
];

test("a row for each day, sensor, key and way, in canonical order; what is no key is left out", () => {
  const { sshKeys, ...rest } = addKeys(buildReduced(ROWS));
  const { rows, names } = sshKeys!;
  const told = Array.from({ length: rows.rows }, (_, row) => [
    rows.day[row]! - 20_666,
    rows.sensor[row],
    rows.keys.planted![row] === 1 ? "planted" : "offered",
    names.key_type[rows.keys.key_type![row]!] ?? null,
    names.key_print[rows.keys.key_print![row]!],
    rows.count[row],
  ]);
  expect(told).toEqual([
    [0, 0, "planted", "ssh-ed25519", ed.fingerprint, 2],
    [0, 0, "planted", "ssh-rsa", rsa.fingerprint, 3],
    [1, 0, "planted", "ssh-rsa", rsa.fingerprint, 8],
    [1, 1, "offered", "ssh-rsa", rsa.fingerprint, 16],
    [2, 1, "offered", null, EVIL, 64],
    [2, 1, "offered", "ssh-rsa", rsa.fingerprint, 32],
  ]);
  // What is kept knows nothing of them.
  const bytes = (table: Parameters<typeof reducedToIpc>[0]) => Buffer.concat([...reducedToIpc(table)]).toString("latin1");
  expect(bytes({ ...rest, sshKeys: sshKeys! })).toBe(bytes(buildReduced(ROWS)));
});

test("the page says of each key whether it was planted or offered; without keys there is no such section", () => {
  const options = { topN: 5, thresholdPercent: 20, lastDays: 7 };
  const section = buildReportData(addKeys(buildReduced(ROWS)), { show: 5 }).sections.find(({ id }) => id === "keys")!;
  expect(section.keys).toEqual([
    [EVIL, 0, null],
    [rsa.fingerprint, 0, "ssh-rsa"],
    [rsa.fingerprint, 1, "ssh-rsa"],
    [ed.fingerprint, 1, "ssh-ed25519"],
  ]);
  const html = renderReport(buildReduced(ROWS), options);
  expect(html.includes('<section id="keys"')).toBe(true);
  const cells = [...html.matchAll(/<td class="key key-planted short"><code>(\w+)<\/code>/g)].map(([, way]) => way);
  expect(cells).toEqual(["offered", "offered", "planted", "planted"]);
  expect(html.includes(EVIL)).toBe(false);
  const without = addKeys(buildReduced([typed("2026-08-01", "a", "uname -a", 1)]));
  expect(rowsOf(without, "ssh_key")).toBeUndefined();
  expect(renderReport(without, options).includes('id="keys"')).toBe(false);
});
