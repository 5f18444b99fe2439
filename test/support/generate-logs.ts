/**
 * Believable Cowrie logs of any size from a seed: the same options always give the same bytes.
 *
 * Sensors are played one after the other and day by day, sessions overlap as they do in life, and no more than a
 * few thousand lines are held at a time, so a gigabyte takes no more memory than a megabyte.
 *
 * Run directly, it writes a folder of logs: bun test/support/generate-logs.ts --help
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { dateText, dayNumber, ERAS, type EraName } from "./cowrie-eras.ts";
import { type PendingEvent, SensorLog, type SensorPlan, Session } from "./cowrie-session.ts";
import {
  chainOf,
  drawCredential,
  drawSource,
  drawTelnetCredential,
  forwardTargetOf,
  keyExchange,
  type Malware,
  malwareOf,
  OTHER_FIRST_LINES,
  shaOf,
  type Source,
  telnetChainOf,
} from "./cowrie-world.ts";
import { type Random, seededRandom } from "./random.ts";

const DAY_US = 86_400_000_000;
/** Sessions played before what is certainly past is sorted and written. */
const CHUNK_SESSIONS = 512;
/** Characters collected before a write. */
const WRITE_LENGTH = 1 << 20;

/** One actor with its own credential, commands and file, from a day to a day. */
export interface Campaign {
  readonly name: string;
  readonly first: string;
  /** Last day, included; undefined = to the end. */
  readonly last?: string;
  readonly sensors: readonly string[];
  /** Sessions per sensor and day. */
  readonly perDay: number;
  readonly username: string;
  readonly password: string;
  readonly version: string;
  readonly lines: readonly string[];
  readonly url: string;
  readonly shasum: string;
  /** Addresses are `prefix` + 1 … `machines`. */
  readonly prefix: string;
  readonly machines: number;
  readonly positives?: number;
}

/** Something put on one sensor at one instant, beside the ordinary traffic. */
export interface Plant {
  readonly sensor: string;
  /** Microseconds since 1970-01-01 UTC. */
  readonly us: number;
  readonly play: (log: SensorLog, us: number, random: Random) => void;
}

export interface GenerateOptions {
  readonly seed: number | string;
  readonly firstDay: string;
  readonly days: number;
  readonly sensors: readonly SensorPlan[];
  /** Mean of events per sensor and day; days differ. Give this or `totalBytes`. */
  readonly eventsPerDay?: number;
  /** Wanted size of everything; met within a few percent. */
  readonly totalBytes?: number;
  readonly campaigns?: readonly Campaign[];
  readonly plants?: readonly Plant[];
}

export interface GenerateStats {
  files: number;
  sessions: number;
  events: number;
  bytes: number;
}

/** Takes pieces of files, in order, one file after the other. */
export type Sink = (path: string, text: string) => void;

/** What can happen on SSH, with its share of the sessions. */
const SSH_WEIGHTS = [22, 46, 22, 5, 1.6, 1, 1.4, 1];

function playSsh(log: SensorLog, us: number, day: number): void {
  const { random } = log;
  const source = drawSource(random, day);
  const session = new Session(log, us, "ssh", source.ip);
  const { version, exchange } = source.client;
  switch (random.weighted(SSH_WEIGHTS)) {
    case 0: // Looks at the port, perhaps at the banner.
      if (random.chance(0.6)) session.version(version, random.chance(0.5) ? exchange : undefined);
      break;
    case 1: {
      session.version(version, exchange);
      const attempts = 1 + random.zipf(2.2, 60);
      for (let i = 0; i < attempts; i++) {
        const { username, password } = drawCredential(random);
        session.login(username, password, false);
      }
      break;
    }
    case 2:
      enter(session.version(version, exchange), random);
      playChain(session, source, random);
      break;
    case 3: {
      enter(session.version(version, exchange), random);
      const requests = 1 + random.zipf(1.8, 80);
      for (let i = 0; i < requests; i++) {
        const { ip, port, data } = forwardTargetOf(random);
        session.forward(ip, port, data, i);
      }
      break;
    }
    case 4: {
      enter(session.version(version, exchange), random);
      const malware = malwareOf(source.family);
      if (random.chance(0.5)) session.uploadSftp(malware.filename, malware.shasum);
      else session.uploadScp(malware.filename, `/tmp/${malware.filename}`, malware.shasum);
      verdict(session, malware);
      if (random.chance(0.3)) session.capture("", shaOf(`stdin ${source.family}`));
      break;
    }
    case 5:
      enter(session.version(version, exchange), random);
      playHuman(session, source, random);
      break;
    case 6:
      session.version(version, exchange).offerKey(random.chance(0.7) ? "root" : "git", source.family % 25);
      break;
    default:
      session.version(random.pick(OTHER_FIRST_LINES));
  }
  session.close();
}

/** Log in: sometimes at once, sometimes after a few failures. */
function enter(session: Session, random: Random): void {
  while (random.chance(0.3)) {
    const { username, password } = drawCredential(random);
    session.login(username, password, false);
  }
  const { username, password } = drawCredential(random);
  session.login(username, password, true);
}

function verdict(session: Session, { shasum, positives, total }: Malware): void {
  session.scan(shasum, positives, total);
}

/** Each line on an exec channel of its own, as bots do. */
function playChain(session: Session, source: Source, random: Random): void {
  const malware = malwareOf(source.family);
  const chain = chainOf(source.chain, malware, random);
  for (const line of chain.lines) session.openShell().command(line).closeShell([line]);
  if (chain.redirect !== undefined) session.capture(chain.redirect.path, chain.redirect.shasum);
  if (chain.fetches) fetchMalware(session, malware, random);
}

function fetchMalware(session: Session, malware: Malware, random: Random): void {
  if (random.chance(0.25)) session.failDownload(malware.url);
  else verdict(session.download(malware.url, malware.shasum), malware);
}

function playHuman(session: Session, source: Source, random: Random): void {
  const malware = malwareOf(source.family);
  const lines: string[] = [];
  session.variable("LANG", random.pick(["en_US.UTF-8", "de_DE.UTF-8", "C.UTF-8", "zh_CN.UTF-8"]));
  session.terminal(random.pick([80, 120, 190, 211]), random.pick([24, 40, 53]));
  session.openShell();
  const typed = ["w", "uname -a", "ls -la", "cd /tmp", "vim x", "ps aux", `wget ${malware.url}`, "exit"];
  for (const line of typed) {
    if (random.chance(0.35)) continue;
    session.wait(4000, 0.9).command(line);
    lines.push(line);
    if (line.startsWith("wget")) fetchMalware(session, malware, random);
  }
  session.closeShell(lines);
}

function playTelnet(log: SensorLog, us: number, day: number): void {
  const { random } = log;
  const source = drawSource(random, day);
  const session = new Session(log, us, "telnet", source.ip);
  if (random.chance(0.4)) session.telnetOption("WILL", "NAWS", 31).telnetOption("DO", "ECHO", 1);
  const fate = random.weighted([25, 40, 35]);
  if (fate > 0) {
    const failures = fate === 1 ? 1 + random.zipf(2.2, 20) : random.int(2);
    for (let i = 0; i < failures; i++) {
      const { username, password } = drawTelnetCredential(random);
      session.wait(700).login(username, password, false);
    }
  }
  if (fate === 2) {
    const { username, password } = drawTelnetCredential(random);
    session.wait(600).login(username, password, true);
    const malware = malwareOf(source.family);
    const chain = telnetChainOf(source.chain, malware, random);
    session.openShell();
    for (const line of chain.lines) session.wait(120).command(line);
    if (chain.fetches) fetchMalware(session, malware, random);
    session.closeShell(chain.lines);
  }
  session.close();
}

function playCampaign(log: SensorLog, us: number, campaign: Campaign): void {
  const { random } = log;
  const machine = 1 + random.int(campaign.machines);
  const session = new Session(log, us, "ssh", campaign.prefix + machine);
  session.version(campaign.version, RARE_EXCHANGE);
  session.login(campaign.username, campaign.password, true);
  for (const line of campaign.lines) session.openShell().command(line).closeShell([line]);
  session.download(campaign.url, campaign.shasum);
  session.scan(campaign.shasum, campaign.positives, 72);
  session.close();
}

/** A client that only campaigns and planted sessions use. */
export const RARE_EXCHANGE = keyExchange(
  "curve25519-sha256,ecdh-sha2-nistp256",
  "ssh-ed25519,rsa-sha2-256",
  "aes128-ctr,aes256-ctr",
  "hmac-sha2-256",
);

/** What one session of ordinary traffic comes to, learnt while playing. */
interface Yield {
  sessions: number;
  size: number;
}

/**
 * Write the logs of every sensor into `sink`.
 *
 * Files of a sensor come in order of time. A session that runs past the end of a sensor's days is cut there, as by a
 * crash. The file of a sensor's last day is the live `cowrie.json`.
 *
 * @throws {RangeError} unless exactly one of `eventsPerDay` and `totalBytes` is given, or if a day is not a date.
 */
export function generateLogs(options: GenerateOptions, sink: Sink): GenerateStats {
  const { totalBytes, eventsPerDay, sensors, days } = options;
  if ((totalBytes === undefined) === (eventsPerDay === undefined)) {
    throw new RangeError("Cannot generate logs: expected either eventsPerDay or totalBytes");
  }
  const seed = String(options.seed);
  const firstDay = dayNumber(options.firstDay);
  const stats: GenerateStats = { files: 0, sessions: 0, events: 0, bytes: 0 };

  const calendars = sensors.map(plan => calendarOf(plan, firstDay, days, seed));
  let weightLeft = 0;
  for (const calendar of calendars) for (const { weight } of calendar) weightLeft += weight;
  let sizeLeft = totalBytes ?? eventsPerDay! * weightLeft;

  sensors.forEach((plan, index) => {
    const calendar = calendars[index]!;
    const log = new SensorLog(plan, seed);
    const writer = new SensorWriter(log, calendar, sink, stats);
    const learnt = rehearse(plan, seed, firstDay, totalBytes !== undefined);
    for (const { day, weight } of calendar) {
      const wanted = Math.max(0, (sizeLeft * weight) / weightLeft);
      const before = totalBytes === undefined ? stats.events : stats.bytes;
      log.startDay(day);
      const sessions = Math.round((wanted * learnt.sessions) / learnt.size);
      playDay(log, writer, day, sessions, options);
      const size = (totalBytes === undefined ? stats.events : stats.bytes) - before;
      // Campaigns and plants come on top of what was asked for in events, within what was asked for in bytes.
      sizeLeft -= totalBytes === undefined ? wanted : size;
      weightLeft -= weight;
      stats.sessions += sessions;
    }
    writer.end();
  });
  return stats;
}

/** Play a few hundred sessions for nobody, to learn how much one gives. */
function rehearse(plan: SensorPlan, seed: string, day: number, inBytes: boolean): Yield {
  const log = new SensorLog(plan, `${seed} rehearsal`);
  log.startDay(day);
  const sessions = 600;
  for (let i = 0; i < sessions; i++) playSession(log, day * DAY_US, day);
  let size = 0;
  for (const { line } of log.pending) size += inBytes ? line.length + 1 : 1;
  return { sessions, size };
}

function playSession(log: SensorLog, us: number, day: number): void {
  if (log.random.chance(log.plan.telnetShare)) playTelnet(log, us, day);
  else playSsh(log, us, day);
}

interface CalendarDay {
  readonly day: number;
  /** Expected traffic against a mean day of a mean sensor. */
  readonly weight: number;
}

/** The days a sensor is up, with the traffic of each: weekday, a slow wander, and chance. */
function calendarOf(plan: SensorPlan, firstDay: number, days: number, seed: string): CalendarDay[] {
  const random = seededRandom(`${seed} calendar ${plan.name}`);
  const calendar: CalendarDay[] = [];
  let wander = 0;
  for (let day = firstDay; day < firstDay + days; day++) {
    wander = 0.7 * wander + 0.18 * random.normal();
    const chance = random.logNormal(1, 0.2);
    const date = dateText(day);
    if (date < (plan.joins ?? "") || (plan.down && date >= plan.down[0] && date <= plan.down[1])) continue;
    // 1970-01-01 was a Thursday; weekends are quieter.
    const weekend = (day + 4) % 7 === 0 || (day + 4) % 7 === 6;
    calendar.push({ day, weight: plan.weight * (weekend ? 0.85 : 1.06) * Math.exp(wander) * chance });
  }
  return calendar;
}

type Play = (us: number) => void;

function playDay(log: SensorLog, writer: SensorWriter, day: number, sessions: number, options: GenerateOptions): void {
  const starts = startTimes(log, day, sessions);
  const specials = specialsOf(log, day, options);
  let special = 0;
  for (let i = 0; i <= starts.length; i++) {
    const us = i < starts.length ? starts[i]! : (day + 1) * DAY_US;
    while (special < specials.length && specials[special]!.us < us) {
      const { us: at, play } = specials[special++]!;
      play(at);
    }
    if (i % CHUNK_SESSIONS === 0 || i === starts.length) writer.flushBefore(us);
    if (i < starts.length) playSession(log, us, day);
  }
}

function specialsOf(log: SensorLog, day: number, options: GenerateOptions): { us: number; play: Play }[] {
  const { name } = log.plan;
  const date = dateText(day);
  const specials: { us: number; play: Play }[] = [];
  for (const campaign of options.campaigns ?? []) {
    if (!campaign.sensors.includes(name) || date < campaign.first || date > (campaign.last ?? "9")) continue;
    const random = seededRandom(`${options.seed} ${campaign.name} ${name} ${date}`);
    const count = Math.max(1, Math.round(random.logNormal(campaign.perDay, 0.25)));
    for (let i = 0; i < count; i++) {
      // Not in the last hour: a campaign's session must not reach into a day that is not its own.
      const us = day * DAY_US + Math.floor(random.next() * (DAY_US - 3.6e9));
      specials.push({ us, play: at => playCampaign(log, at, campaign) });
    }
  }
  for (const { sensor, us, play } of options.plants ?? []) {
    if (sensor !== name || Math.floor(us / DAY_US) !== day) continue;
    const random = seededRandom(`${options.seed} plant ${sensor} ${us}`);
    specials.push({ us, play: at => play(log, at, random) });
  }
  return specials.sort((a, b) => a.us - b.us);
}

/** Sorted starts of the day's sessions, denser at the sensor's busy hours and in random gusts. */
function startTimes(log: SensorLog, day: number, sessions: number): Float64Array {
  const { random, plan } = log;
  const slots = 96;
  const phase = (plan.name.charCodeAt(3) % 24) / 24;
  const cumulative = new Float64Array(slots + 1);
  for (let i = 0; i < slots; i++) {
    const rhythm = 1 + 0.35 * Math.sin(2 * Math.PI * (i / slots + phase));
    cumulative[i + 1] = cumulative[i]! + rhythm * random.logNormal(1, 0.5);
  }
  const total = cumulative[slots]!;
  const starts = new Float64Array(sessions);
  let slot = 0;
  for (let i = 0; i < sessions; i++) {
    const mass = ((i + random.next()) / sessions) * total;
    while (slot < slots - 1 && cumulative[slot + 1]! <= mass) slot++;
    const share = (mass - cumulative[slot]!) / (cumulative[slot + 1]! - cumulative[slot]!);
    starts[i] = day * DAY_US + Math.floor(((slot + Math.min(share, 0.999_999)) / slots) * DAY_US);
  }
  return starts;
}

/** Sorts the events of one sensor and cuts them into its files. */
class SensorWriter {
  private readonly log: SensorLog;
  private readonly sink: Sink;
  private readonly stats: GenerateStats;
  private readonly upDays: ReadonlySet<number>;
  private readonly lastDay: number;
  private readonly zoneUs: number;
  private fileDay = -1;
  private path = "";
  private lines: string[] = [];
  private length = 0;

  constructor(log: SensorLog, calendar: readonly CalendarDay[], sink: Sink, stats: GenerateStats) {
    this.log = log;
    this.sink = sink;
    this.stats = stats;
    this.upDays = new Set(calendar.map(({ day }) => day));
    this.lastDay = calendar.at(-1)?.day ?? -1;
    this.zoneUs = (log.plan.zoneMinutes ?? 0) * 60_000_000;
  }

  /** Write what no later session can come before. */
  flushBefore(us: number): void {
    const { log } = this;
    const pending = log.pending.sort((a, b) => a.us - b.us);
    let end = 0;
    while (end < pending.length && pending[end]!.us < us) this.write(pending[end++]!);
    log.pending = pending.slice(end);
  }

  end(): void {
    this.flushBefore(Infinity);
    this.flush();
  }

  private write({ us, line }: PendingEvent): void {
    // Nothing is logged while the sensor is down or after its last day.
    if (!this.upDays.has(Math.floor(us / DAY_US))) return;
    const localDay = Math.floor((us + this.zoneUs) / DAY_US);
    if (localDay > this.lastDay) return;
    if (localDay !== this.fileDay) {
      this.flush();
      this.fileDay = localDay;
      this.path = `${this.log.plan.name}/${this.nameOf(localDay)}`;
      this.stats.files++;
    }
    this.lines.push(line);
    this.length += line.length + 1;
    this.stats.events++;
    this.stats.bytes += line.length + 1;
    if (this.length >= WRITE_LENGTH) this.flush();
  }

  private flush(): void {
    if (this.lines.length === 0) return;
    this.sink(this.path, `${this.lines.join("\n")}\n`);
    this.lines = [];
    this.length = 0;
  }

  private nameOf(day: number): string {
    if (day === this.lastDay) return "cowrie.json";
    const date = dateText(day);
    return `cowrie.json.${this.log.plan.underscoreNames ? date.replaceAll("-0", "-").replaceAll("-", "_") : date}`;
  }
}

/** Sink that writes below a folder; call `close` at the end. Existing files of the same name are replaced. */
export function diskSink(folder: string): { sink: Sink; close: () => void } {
  let path = "";
  let file = -1;
  const close = () => {
    if (file >= 0) closeSync(file);
    file = -1;
  };
  const sink: Sink = (next, text) => {
    if (next !== path) {
      close();
      path = next;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      file = openSync(join(folder, path), "w");
    }
    // Every line is ASCII, as Cowrie's are.
    const bytes = Buffer.from(text, "latin1");
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  };
  return { sink, close };
}

/** {@link generateLogs} into a folder. */
export function writeLogs(folder: string, options: GenerateOptions): GenerateStats {
  const { sink, close } = diskSink(folder);
  try {
    return generateLogs(options, sink);
  } finally {
    close();
  }
}

const CITIES = ["ams", "sgp", "nyc", "fra", "tyo", "lon", "sao", "syd", "waw", "yyz", "bom", "jnb"];

/** `count` sensors of different temper; `eras` are dealt out in turn. */
export function planSensors(count: number, eras: readonly EraName[] = ["v3", "v2.8", "v2.5", "v2.2"]): SensorPlan[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `hp-${CITIES[i % CITIES.length]}-${String(1 + Math.floor(i / CITIES.length)).padStart(2, "0")}`,
    eras: [{ from: "1970-01-01", era: eras[i % eras.length]! }],
    telnetShare: [0.1, 0.3, 0.05, 0.2][i % 4]!,
    weight: [1.1, 0.9, 1, 1][i % 4]!,
  }));
}

const HELP = `Write a folder of believable Cowrie logs.

Usage: bun test/support/generate-logs.ts --out DIR [options]

Options:
  -o, --out <dir>          Folder to write into (required).
      --seed <text>        Same seed, same bytes. [default: 1]
      --sensors <n>        Honeypots. [default: 4]
      --files <n>          Files in all, a multiple of --sensors (one per sensor and day). [default: 20]
      --first-day <day>    First day, YYYY-MM-DD. [default: 2026-06-01]
      --events-per-day <n> Mean per sensor and day. [default: 1000]
      --megabytes <n>      Size of everything in MB (10^6 bytes) instead of --events-per-day.
      --eras <list>        Cowrie versions dealt out to the sensors: ${Object.keys(ERAS).join(",")}.
  -h, --help               Show this text.
`;

function main(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      out: { type: "string", short: "o" },
      seed: { type: "string", default: "1" },
      sensors: { type: "string", default: "4" },
      files: { type: "string", default: "20" },
      "first-day": { type: "string", default: "2026-06-01" },
      "events-per-day": { type: "string", default: "1000" },
      megabytes: { type: "string" },
      eras: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (values.out === undefined) throw new TypeError("Missing --out");
  const sensors = count("--sensors", values.sensors);
  const files = count("--files", values.files);
  if (files % sensors !== 0) {
    throw new RangeError(`Cannot spread ${files} files: expected a multiple of ${sensors} sensors`);
  }
  const eras = values.eras?.split(",") as EraName[] | undefined;
  for (const era of eras ?? []) {
    if (Object.hasOwn(ERAS, era)) continue;
    throw new RangeError(`Cannot use era "${era}": expected ${Object.keys(ERAS).join(", ")}`);
  }
  const start = performance.now();
  const stats = writeLogs(values.out, {
    seed: values.seed,
    firstDay: values["first-day"],
    days: files / sensors,
    sensors: planSensors(sensors, eras),
    ...(values.megabytes === undefined
      ? { eventsPerDay: count("--events-per-day", values["events-per-day"]) }
      : { totalBytes: count("--megabytes", values.megabytes) * 1e6 }),
  });
  const seconds = (performance.now() - start) / 1000;
  console.error(
    `${stats.files} files, ${stats.events} events in ${stats.sessions} sessions, ` +
      `${(stats.bytes / 1e6).toFixed(1)} MB, ${seconds.toFixed(1)} s`,
  );
}

function count(flag: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new RangeError(`Cannot read ${flag} "${text}": expected a whole number >= 1`);
  return Number(text);
}

if (import.meta.main) main(Bun.argv.slice(2));
