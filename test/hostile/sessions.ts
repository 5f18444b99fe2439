/** Logs as Cowrie writes them, every text in them an attacker's, down to the names of sensors and sessions. */
import { type LogEvent, toLine } from "../support/event-logs.ts";
import { HOSTILE_TEXTS } from "./texts.ts";

/** Days of the logs; enough for a baseline and for changes after it. */
const DAYS = 24;
const DAY_SEC = 86_400;
/** Sensors that report each day, so that there is something to compare. */
const SENSORS = ["__proto__", "<svg onload=alert(30)>", "=cmd|' /C calc'!A0 \u202eevil\u202c"];
/** Whole in commands; as a name, nobody's tool would take it. */
const NAME_MOST = 5000;

/** Sessions of the address have each text as their name, one after the other. */
export const HOSTILE_ADDRESS = "192.0.2.1";

/** The lines of one log, in order of time. */
export function buildHostileLog(): string {
  const events: LogEvent[] = [];
  HOSTILE_TEXTS.forEach((text, i) => {
    const name = text.slice(0, NAME_MOST);
    events.push(...tellSession(text, name, 13 * DAY_SEC + i * 60, HOSTILE_ADDRESS));
    // The address itself is a text as well.
    events.push({ eventid: "session.connect", at: 14 * DAY_SEC + i, session: `a${i}`, sensor: name, src_ip: name });
    events.push({ eventid: "session.closed", at: 14 * DAY_SEC + i + 9, session: `a${i}`, src_ip: name, duration: 9 });
    events.push(...tellSeries(name, i));
  });
  return events
    .sort((a, b) => a.at - b.at)
    .map(event => `${toLine(event)}\n`)
    .join("");
}

/** All that one session can do, with the text wherever a text can be. */
function tellSession(text: string, name: string, at: number, address: string): LogEvent[] {
  const own = { session: name, sensor: name, src_ip: address };
  const texts = [
    { eventid: "session.connect", protocol: name, dst_port: 22, dst_ip: name },
    { eventid: "client.version", version: name },
    { eventid: "client.kex", hassh: name, hasshAlgorithms: name, kexAlgs: [name] },
    { eventid: "client.var", name, value: name },
    { eventid: "client.size", width: name, height: name },
    { eventid: "login.failed", username: name, password: "" },
    { eventid: "login.success", username: name, password: name },
    { eventid: "session.params", arch: name },
    { eventid: "command.input", input: text },
    { eventid: "command.failed", input: name },
    { eventid: "session.file_download", url: name, outfile: name, shasum: name },
    { eventid: "session.file_download", url: null, outfile: name, shasum: name, destfile: name },
    { eventid: "session.file_download.failed", url: name },
    { eventid: "session.file_upload", filename: name, outfile: name, shasum: name },
    { eventid: "virustotal.scanfile", sha256: name, positives: 3, total: 9, scans: { [name]: name }, is_new: name },
    { eventid: "direct-tcpip.request", dst_ip: name, dst_port: 25, src_port: 1 },
    { eventid: "direct-tcpip.data", dst_ip: name, dst_port: 25, data: name },
    { eventid: `odd.${name}`, [name]: name, message: name },
    { eventid: "log.closed", ttylog: name, duration: 1, size: 1 },
    { eventid: "session.closed", duration: 20 },
  ];
  return texts.map((event, i) => ({ at: at + i, ...own, ...event }));
}

/** The text as credential, command and client day by day: steady, new, gone, or suddenly more. */
function tellSeries(name: string, i: number): LogEvent[] {
  const events: LogEvent[] = [];
  for (let day = 0; day < DAYS; day++) {
    const isLate = day >= DAYS - 5;
    const times = [3, isLate ? 9 : 0, isLate ? 0 : 6, isLate ? 30 : 2][i % 4]!;
    for (let n = 0; n < times; n++) {
      const sensor = SENSORS[(i + n) % SENSORS.length]!;
      const own = { session: `s${i}-${day}-${n}`, sensor, src_ip: `198.51.100.${i}` };
      const at = day * DAY_SEC + i * 30 + n;
      events.push(
        { eventid: "session.connect", at, ...own, protocol: "ssh", dst_port: 22 },
        { eventid: "login.success", at, ...own, username: name, password: name },
        { eventid: "command.input", at, ...own, input: name },
        ...(n === 0 ? tellNext(i).map(input => ({ eventid: "command.input", at, ...own, input })) : []),
        { eventid: "session.closed", at: at + 1, ...own, duration: 1 },
      );
    }
  }
  return events;
}

/** What follows the text in a session, so that chains have links. */
function tellNext(i: number): string[] {
  return [1, 2, 4].map(step => HOSTILE_TEXTS[(i + step) % HOSTILE_TEXTS.length]!.slice(0, 300));
}
