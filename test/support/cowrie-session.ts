/**
 * One sensor and one connection to it: what Cowrie writes when something happens.
 *
 * Every method of {@link Session} is one thing an attacker does; the era of the sensor decides how it is written.
 */
import {
  bytesRepr,
  dateText,
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
import { failedParts, type KeyExchange, publicKeyOf, recordingOf, shaOf } from "./cowrie-world.ts";
import { type Random, seededRandom } from "./random.ts";

const MS = 1000;

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

export interface PendingEvent {
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
    this.us += era.order === "identity-first" ? 400_000 : 30_000;
    this.emit("cowrie.virustotal.scanfile", fields, text, { plugin: true });
    this.us = back + 40_000;
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
    const number = era.order === "hash" ? "" : `${channel} `;
    this.emit(
      "cowrie.direct-tcpip.data",
      fields,
      `discarded direct-tcp forward request ${number}to ${ip}:${port} with data ${repr}`,
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
    // Most hang up at once; some leave the line open until a time limit ends it.
    if (this.random.chance(0.12)) this.wait(45_000, 0.9);
    else this.wait(150);
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
