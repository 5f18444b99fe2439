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
import {
  bytesRepr,
  dateText,
  dayNumber,
  type Era,
  eraEventId,
  ERAS,
  type EraName,
  escapeBytes,
  eventLine,
  type Fields,
  floatText,
  type Identity,
  type LineExtras,
  quote,
  quoteList,
  timestampText,
} from "./cowrie-eras.ts";
import {
  chainOf,
  drawCredential,
  drawSource,
  drawTelnetCredential,
  failedParts,
  forwardTargetOf,
  type KeyExchange,
  type Malware,
  malwareOf,
  OTHER_FIRST_LINES,
  publicKeyOf,
  recordingOf,
  shaOf,
  type Source,
  telnetChainOf,
} from "./cowrie-world.ts";
import { type Random, seededRandom } from "./random.ts";

const DAY_US = 86_400_000_000;
const MS = 1000;
/** Sessions played before what is certainly past is sorted and written. */
const CHUNK_SESSIONS = 512;
/** Characters collected before a write. */
const WRITE_LENGTH = 1 << 20;

/** One honeypot. */
export interface SensorPlan {
  readonly name: string;
  /** The Cowrie it runs, from a day on; the first entry holds from the start. */
  readonly eras: readonly { readonly from: string; readonly era: EraName }[];
  /** Share of sessions that come by telnet. */
  readonly telnetShare: number;
  /** Traffic against the other sensors; 1 is the mean. */
  readonly weight: number;
  /** First day, if it joins late. */
  readonly joins?: string;
  /** Days without a single event, both included. */
  readonly down?: readonly [first: string, last: string];
  /** Offset written into timestamps (`+0200` for 120) and midnight of its files; undefined = UTC, written `Z`. */
  readonly zoneMinutes?: number;
  /** Telnet on a dual-stack socket: addresses with `::ffff:`. */
  readonly mappedTelnet?: boolean;
  /** `2017_5_3` instead of `2017-05-03`. */
  readonly underscoreNames?: boolean;
}

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

interface PendingEvent {
  readonly us: number;
  readonly line: string;
}

/** The log of one sensor while it is played. */
export class SensorLog {
  readonly plan: SensorPlan;
  readonly random: Random;
  readonly uuid: string;
  readonly address: string;
  /** Of the day being played. */
  era: Era;
  /** Files the scanners were already asked about. */
  readonly asked = new Set<string>();
  pending: PendingEvent[] = [];
  connections = 0;

  constructor(plan: SensorPlan, seed: string) {
    this.plan = plan;
    this.random = seededRandom(`${seed} ${plan.name}`);
    this.era = ERAS[plan.eras[0]!.era];
    const hex = shaOf(`uuid ${seed} ${plan.name}`);
    this.uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-11f1-8${hex.slice(12, 15)}-${hex.slice(16, 28)}`;
    this.address = `172.${17 + this.random.int(8)}.0.${2 + this.random.int(20)}`;
  }

  startDay(day: number): void {
    const date = dateText(day);
    for (const { from, era } of this.plan.eras) if (from <= date) this.era = ERAS[era];
  }

  /** Put a line as it is between the events of this instant. */
  raw(us: number, line: string): void {
    this.pending.push({ us, line });
  }
}

/** One connection; every method writes what Cowrie would and moves the clock `us`. */
export class Session {
  readonly log: SensorLog;
  readonly era: Era;
  readonly identity: Identity;
  readonly startUs: number;
  us: number;
  private closed = false;
  private channelUs = 0;
  private readonly random: Random;

  constructor(log: SensorLog, us: number, protocol: "ssh" | "telnet", ip: string) {
    const { random, era } = log;
    this.log = log;
    this.era = era;
    this.random = random;
    this.startUs = us;
    this.us = us;
    log.connections++;
    this.identity = {
      era,
      sensor: log.plan.name,
      uuid: log.uuid,
      session: random.hex(era.sessionDigits),
      protocol,
      srcIp: protocol === "telnet" && log.plan.mappedTelnet ? `::ffff:${ip}` : ip,
      srcPort: random.between(1024, 65_535),
      dstIp: log.address,
      dstPort: protocol === "telnet" ? 2223 : 2222,
      system:
        era.order === "hash"
          ? `${protocol === "telnet" ? "CowrieTelnetTransport" : "HoneyPotSSHTransport"},${log.connections},${ip}`
          : "",
    };
    const { srcIp, srcPort, dstIp, dstPort, session } = this.identity;
    const text = `New connection: ${srcIp}:${srcPort} (${dstIp}:${dstPort}) [session: ${session}]`;
    this.emit("cowrie.session.connect", [], text);
  }

  /** Let time pass: log-normal around `medianMs`. */
  wait(medianMs: number, sigma = 0.6): this {
    this.us += Math.floor(this.random.logNormal(medianMs * MS, sigma));
    return this;
  }

  /** Write one event; `message` undefined stands for events without a text. */
  emit(id: string, fields: Fields, message: string | undefined, extras?: LineExtras): void {
    const { era, log, us } = this;
    const eraId = eraEventId(era, id);
    if (eraId === undefined) return;
    const { zoneMinutes } = log.plan;
    const timestamp = `"${timestampText(us, zoneMinutes, era.order === "hash")}"`;
    let text = message === undefined ? (era.order === "identity-first" ? '""' : "[]") : quote(message);
    if (era.ids === "KIPP") text = message === undefined ? "[]" : `[${text}]`;
    else if (era.ids === "COW") {
      fields = [...fields, "format", text === "[]" ? '""' : text];
      text = "[]";
    }
    log.pending.push({ us, line: eventLine(this.identity, eraId, fields, timestamp, text, extras) });
  }

  /** First line of an SSH client, and the algorithms where the era puts them beside it. */
  version(version: string, exchange?: KeyExchange): this {
    const { era } = this;
    this.wait(90);
    let text = version;
    if (era.version === "repr") text = bytesRepr(version);
    else if (era.version === "escaped") text = escapeBytes(version);
    const fields = ["version", quote(text)];
    if (era.version === "with-algorithms" && exchange !== undefined) fields.push(...this.algorithmFields(exchange));
    this.emit("cowrie.client.version", fields, `Remote SSH version: ${text}`);
    if (exchange !== undefined && era.order !== "hash") {
      this.wait(30);
      const { hassh, algorithms } = exchange;
      const all = ["hassh", quote(hassh), "hasshAlgorithms", quote(algorithms), ...this.algorithmFields(exchange)];
      this.emit("cowrie.client.kex", [...all, "langCS", '[""]'], `SSH client hassh fingerprint: ${hassh}`);
    }
    return this;
  }

  private algorithmFields({ kex, key, enc, mac, comp }: KeyExchange): string[] {
    const names = ["kexAlgs", "keyAlgs", "encCS", "macCS", "compCS"];
    return [kex, key, enc, mac, comp].flatMap((list, i) => [names[i]!, listText(this.era, list)]);
  }

  login(username: string, password: string, success: boolean): this {
    const { era } = this;
    this.wait(350);
    const [user, pass] =
      era.version === "escaped" ? [escapeBytes(username), escapeBytes(password)] : [username, password];
    this.emit(
      success ? "cowrie.login.success" : "cowrie.login.failed",
      ["username", quote(user), "password", quote(pass)],
      `login attempt [${user}/${pass}] ${success ? "succeeded" : "failed"}`,
    );
    return this;
  }

  /** A public key is offered; refused. */
  offerKey(username: string, family: number): this {
    this.wait(250);
    const { key, type, fingerprint } = publicKeyOf(family);
    const fields = ["username", quote(username), "fingerprint", quote(fingerprint), "key", quote(key)];
    fields.push("type", quote(type));
    const facts = `for user ${username} of type ${type} with fingerprint ${fingerprint}`;
    this.emit("cowrie.client.fingerprint", fields, `public key attempt ${facts}`);
    if (this.era.keyLogins) this.emit("cowrie.login.failed", fields, `public key login attempt ${facts} failed`);
    return this;
  }

  /** A channel opens. */
  openShell(): this {
    this.wait(120);
    this.channelUs = this.us;
    if (this.era.oldShell) {
      const ttylog = this.oldRecording();
      this.emit("cowrie.log.open", ["ttylog", quote(ttylog)], `Opening TTY Log: ${ttylog}`);
    } else this.emit("cowrie.session.params", ["arch", '"linux-x64-lsb"'], undefined);
    return this;
  }

  /** One line typed or executed, with the failures it gives. */
  command(line: string): this {
    this.wait(25);
    this.emit("cowrie.command.input", ["input", quote(line)], `CMD: ${line}`);
    if (this.era.oldShell) {
      const text = line.slice(0, 80);
      this.us += 900;
      this.emit("cowrie.command.success", ["input", quote(`${text} `)], `Command found: ${text} `);
    }
    for (const part of failedParts(line)) {
      this.us += 700;
      this.emit("cowrie.command.failed", ["input", quote(part)], `Command not found: ${part}`);
    }
    return this;
  }

  download(url: string, shasum: string): this {
    this.wait(1500);
    const outfile = this.outfile(shasum);
    const fields = ["url", quote(url), "outfile", quote(outfile), "shasum", quote(shasum)];
    if (this.era.modern) fields.push("duplicate", String(this.log.asked.has(shasum)));
    this.emit(
      "cowrie.session.file_download",
      fields,
      `Downloaded URL (${url}) with SHA-256 ${shasum} to ${outfile}`,
    );
    return this;
  }

  failDownload(url: string): this {
    this.wait(2500);
    this.emit(
      "cowrie.session.file_download.failed",
      ["url", quote(url)],
      `Attempt to download file(s) from URL (${url}) failed`,
    );
    return this;
  }

  /** What a redirect (`destfile` a path) or an exec channel's stdin (`destfile` "") left behind. */
  capture(destfile: string, shasum: string): this {
    this.us += 1500;
    const { era, log } = this;
    const outfile = this.outfile(shasum);
    const duplicate = log.asked.has(shasum);
    const facts = ["outfile", quote(outfile), "shasum", quote(shasum)];
    const fields =
      era.order === "hash"
        ? ["url", quote(destfile || "stdin"), ...facts]
        : ["duplicate", String(duplicate), ...facts, "destfile", quote(destfile)];
    const what = destfile === "" ? "stdin" : "redir";
    this.emit("cowrie.session.file_download", fields, `Saved ${what} contents with SHA-256 ${shasum} to ${outfile}`);
    log.asked.add(shasum);
    return this;
  }

  uploadSftp(filename: string, shasum: string): this {
    this.wait(2000);
    const outfile = this.outfile(shasum);
    this.emit(
      "cowrie.session.file_upload",
      ["filename", quote(filename), "outfile", quote(outfile), "shasum", quote(shasum)],
      `SFTP Uploaded file "${filename}" to ${outfile}`,
    );
    return this;
  }

  uploadScp(filename: string, target: string, shasum: string): this {
    this.wait(1500);
    const path = quote(target);
    const fields = ["filename", quote(filename), "duplicate", "false", "url", path, "outfile", quote(shasum)];
    fields.push("shasum", quote(shasum), "destfile", path);
    this.emit("cowrie.session.file_upload", fields, `SCP Uploaded file "${filename}" to ${target}`);
    return this;
  }

  /** The scanners' answer, once per sensor and file. */
  scan(shasum: string, positives: number | undefined, total: number): this {
    const { era, log } = this;
    if (log.asked.has(shasum) || era.order === "hash") return this;
    log.asked.add(shasum);
    const text = `VT: ${positives === undefined ? "New file" : "Binary file"} ${shasum}`;
    const known = positives !== undefined;
    const fields = ["sha256", quote(shasum), "is_new", known ? '"false"' : '"true"'];
    if (known) {
      const scanned = era.uuid ? String(Math.floor(this.us / 1e6) - 86_400) : '"2020-03-01 10:00:00"';
      const scans = ENGINES.map((engine, i) => {
        const detected = i * total < positives * ENGINES.length;
        return `"${engine}":{"detected":"${detected}","result":${detected ? '"Linux.Trojan.Agent"' : '"None"'}}`;
      });
      fields.push("positives", String(positives), "total", String(total), "scan_date", scanned);
      fields.push("scans", `{${scans.join(",")}}`);
    }
    const back = this.us;
    // The answer takes its time; before v3.0.6 one that came after the end of the session was lost.
    this.us += 400_000;
    this.emit("cowrie.virustotal.scanfile", fields, text, { plugin: true });
    this.us = back + 1000;
    return this;
  }

  /** A forward is asked for, and what is sent into it when it is not refused at once. */
  forward(ip: string, port: number, data: string, channel: number): this {
    this.wait(60);
    const { era, identity } = this;
    const target = { ip, port };
    const claimed = this.random.between(1024, 65_000);
    const claim =
      era.order === "identity-first"
        ? ["orig_ip", '"127.0.0.1"', "orig_port", String(claimed)]
        : ["src_ip", quote(identity.srcIp), "src_port", String(claimed)];
    this.emit(
      "cowrie.direct-tcpip.request",
      claim,
      `direct-tcp connection request to ${ip}:${port} from 127.0.0.1:${claimed}`,
      { target },
    );
    if (data === "") return this;
    this.us += 20_000;
    const repr = bytesRepr(data, era.order === "hash" ? "" : "b");
    const fields = ["data", quote(repr)];
    if (era.order !== "hash") fields.push("id", String(channel));
    this.emit(
      "cowrie.direct-tcpip.data",
      fields,
      `discarded direct-tcp forward request ${channel} to ${ip}:${port} with data ${repr}`,
      { target },
    );
    return this;
  }

  terminal(width: number, height: number): this {
    this.wait(40);
    // The two were swapped before 1.6.0.
    const [w, h] = this.era.order === "hash" ? [height, width] : [width, height];
    this.emit("cowrie.client.size", ["width", String(w), "height", String(h)], `Terminal Size: ${w} ${h}`);
    return this;
  }

  variable(name: string, value: string): this {
    this.us += 800;
    this.emit("cowrie.client.var", ["name", quote(name), "value", quote(value)], `request_env: ${name}=${value}`);
    return this;
  }

  telnetOption(command: string, name: string, byte: number): this {
    this.us += 1500;
    if (!this.era.modern) return this;
    const fields = ["command", quote(command), "option_name", quote(name), "option_byte", String(byte)];
    this.emit("cowrie.telnet.option", fields, `Telnet option: ${command} ${name}`);
    return this;
  }

  /** The channel's recording is closed. */
  closeShell(lines: readonly string[]): this {
    const { era } = this;
    this.wait(60);
    const shasum = recordingOf(lines);
    const ttylog = era.oldShell ? this.oldRecording() : `var/lib/cowrie/tty/${shasum}`;
    const fields = ["ttylog", quote(ttylog), "size", String(lines.join("\n").length * 3 + 2)];
    if (!era.oldShell) fields.push("shasum", quote(shasum), "duplicate", String(this.random.chance(0.6)));
    const { field, words } = this.duration(this.us - this.channelUs);
    this.emit("cowrie.log.closed", [...fields, ...field], `Closing TTY Log: ${ttylog} after ${words}`);
    return this;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.wait(150);
    const { field, words } = this.duration(this.us - this.startUs);
    this.emit("cowrie.session.closed", field, `Connection lost after ${words}`);
  }

  private duration(us: number): { field: string[]; words: string } {
    const { era, identity } = this;
    switch (era.duration) {
      case "none":
        return { field: [], words: `${Math.floor(us / 1e6)} seconds` };
      case "ms":
        return { field: ["duration_ms", String(Math.floor(us / MS))], words: `${Math.floor(us / MS)} milliseconds` };
      case "text": {
        // Telnet kept the float that SSH had lost.
        const text = (us / 1e6).toFixed(1);
        const value = identity.protocol === "telnet" ? floatText(us / 1e6) : `"${text}"`;
        return { field: ["duration", value], words: `${text} seconds` };
      }
      case "float":
        return { field: ["duration", floatText(us / 1e6)], words: `${Math.floor(us / 1e6)} seconds` };
    }
  }

  private outfile(shasum: string): string {
    return `${this.era.oldShell ? "dl" : "var/lib/cowrie/downloads"}/${shasum}`;
  }

  private oldRecording(): string {
    const stamp = timestampText(this.channelUs).slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
    return `log/tty/${stamp}-${this.identity.session}-0e.log`;
  }
}

const ENGINES = (
  "bkav lionic clamav alibaba arcabit avast avg avira baidu bitdefender cynet drweb emsisoft fortinet gdata ikarus " +
  "jiangmin kaspersky mcafee microsoft rising sangfor sophos symantec tencent trendmicro zillya zonealarm"
).split(" ");

const listTexts = new WeakMap<readonly string[], [compact?: string, spaced?: string]>();

/** {@link quoteList}, remembered: the algorithm lists are few and long. */
function listText(era: Era, list: readonly string[]): string {
  let texts = listTexts.get(list);
  if (texts === undefined) listTexts.set(list, (texts = []));
  return (texts[era.order === "hash" ? 1 : 0] ??= quoteList(era, list));
}

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
  const typed = ["w", "uname -a", "ls -la", "cd /tmp", "vim x", "ps aux", `wget ${malware.url}`, "nano .bashrc", "exit"];
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
  session.version(campaign.version, CAMPAIGN_EXCHANGE);
  session.login(campaign.username, campaign.password, true);
  for (const line of campaign.lines) session.openShell().command(line).closeShell([line]);
  session.download(campaign.url, campaign.shasum);
  session.scan(campaign.shasum, campaign.positives, 72);
  session.close();
}

const CAMPAIGN_EXCHANGE: KeyExchange = {
  hassh: "a7a87fbe86774c2e40cc4a7ea2ab1b3c",
  algorithms: "curve25519-sha256;aes128-ctr;hmac-sha2-256;none",
  kex: ["curve25519-sha256"],
  key: ["ssh-ed25519"],
  enc: ["aes128-ctr"],
  mac: ["hmac-sha2-256"],
  comp: ["none"],
};

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
    if (!Object.hasOwn(ERAS, era)) throw new RangeError(`Cannot use era "${era}": expected ${Object.keys(ERAS).join(", ")}`);
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
