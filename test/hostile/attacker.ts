/**
 * One attacker: whatever reaches the toolkit from outside, drawn from a seed. A fault that was found by hand is added
 * here, so that it is tried again for ever.
 */
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Random } from "../support/random.ts";
import { mutatedLines, randomLines } from "./lines.ts";
import { HOSTILE_TEXTS } from "./texts.ts";

/** Sound files of each sort, from which spoiled ones are made. */
export interface Sound {
  /** Lines of a log, without LF. */
  readonly lines: readonly Uint8Array[];
  readonly eventTable: Uint8Array;
  readonly reducedTable: Uint8Array;
  readonly reducedJson: string;
}

const encoder = new TextEncoder();

/** Numbers at the edges of what a column, a double or a calendar can hold. */
const NUMBERS = [
  ..."0 -0 -1 1 1.5 0.1 1e308 -1e308 1e400 -1e400 NaN Infinity 255 256 65535 65536 2147483647 2147483648".split(" "),
  ..."4294967295 4294967296 9007199254740991 9007199254740992 9007199254740993 9223372036854775807 18446744073709551616".split(" "),
  ..."86400000000 253402300800000000 -62135596800000000 1e-300 null true [] {} [[]] \"\" \"1\" \"x\" 01 0x10".split(" "),
];

/** What made an expression slow once, or would make a careless one so. */
export const PUMPS = [
  ..."\\x41 > 0> echo\t - / . 1. : a=1; ' \" | $( ` AAAA ; && ssh-rsa\tAAAA http:// 0x :: %41 <bytes> b' \\".split(" "),
  "echo ", "echo -e a:", " ", "\t", "\n", "printf '", "/tmp/x ", "\u2028", "\u3164", "\ud800", "e\u0301\u0301\u0301\u0301", "::ffff:1.",
];

/** Names of files that tools trip over. */
const NAMES = [
  "cowrie.json", "cowrie.json.1", "cowrie.json.2024-01-31", "cowrie.json.2024-01-31.gz", "cowrie-20240131.json",
  "cowrie.json.\u001b[2J\u001b]0;owned\u0007", "cowrie.json.\n2", "cowrie.json.<img src=x onerror=alert(1)>", "cowrie.json.__proto__",
  "cowrie.json.\u202egnp", "cowrie.json.$(touch owned)", "cowrie.json.=1+1", "cowrie.json. ", `cowrie.json.${"a".repeat(200)}`,
  "cowrie.json.arrow", "cowrie.json.lock", "cowrie.json.partial", "-rf", "cowrie.json.\u0080", "cowrie.json.é", "cowrie.json.%s%n",
];

export class Attacker {
  readonly random: Random;
  readonly #sound: Sound;

  constructor(seed: number | string, sound: Sound) {
    this.random = new Random(seed);
    this.#sound = sound;
  }

  /** A short text fit to break something. */
  text(): string {
    const { random } = this;
    switch (random.weighted([6, 2, 1, 1])) {
      case 0:
        return random.pick(HOSTILE_TEXTS).slice(0, 300);
      case 1:
        return random.pick(PUMPS).repeat(1 + random.int(40));
      case 2:
        return random.pick(NUMBERS);
      default:
        return String.fromCharCode(...Array.from({ length: random.int(20) }, () => random.int(0x3000)));
    }
  }

  number(): string {
    return this.random.pick(NUMBERS);
  }

  /** A copy with some bytes changed, cut out, put in, swapped, or set to what a length or an offset must not be. */
  spoil(sound: Uint8Array): Uint8Array {
    const { random } = this;
    let bytes = Buffer.from(sound);
    for (let changes = random.weighted([0, 12, 4, 2, 1, 1, 1]); changes > 0 && bytes.length > 8; changes--) {
      // What rules the rest stands at the beginning or at the end.
      const at = random.weighted([6, 1, 1]);
      const near = Math.min(bytes.length, 600);
      const where = at === 0 ? random.int(bytes.length) : at === 1 ? random.int(near) : bytes.length - 1 - random.int(near);
      const word = Math.min(where & ~3, bytes.length - 8);
      switch (random.weighted([5, 4, 4, 2, 2, 2, 1])) {
        case 0:
          bytes[where] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.int(256)]);
          break;
        case 1:
          bytes[where] = bytes[where]! ^ (1 << random.int(8));
          break;
        case 2:
          bytes.writeInt32LE(random.pick([-1, 0, 1, 0x7fffffff, -0x80000000, bytes.length, random.int(1 << 16)]), word);
          break;
        case 3:
          bytes.writeBigInt64LE(random.pick([-1n, 0n, 1n << 62n, 1n << 53n, 1n << 32n, BigInt(bytes.length)]), word & ~7);
          break;
        case 4:
          bytes = bytes.subarray(0, where);
          break;
        case 5:
          bytes = Buffer.concat([bytes.subarray(0, where), bytes.subarray(Math.min(bytes.length, where + 1 + random.int(64)))]);
          break;
        default:
          bytes = Buffer.concat([bytes.subarray(0, where), bytes.subarray(random.int(where + 1), where), bytes.subarray(where)]);
      }
    }
    return bytes;
  }

  /** A text with tokens put in, cut out or changed for what another field would hold. */
  spoilText(sound: string): string {
    const { random } = this;
    let text = sound;
    for (let changes = 1 + random.int(5); changes > 0; changes--) {
      const at = random.int(text.length + 1);
      switch (random.weighted([4, 3, 2, 1])) {
        case 0: {
          // A value changes for another one.
          const values = [...text.matchAll(/(?<=[:=,[ ])(?:"(?:[^"\\]|\\.)*"|-?\d[\d.e+]*)/g)];
          const value = values[random.int(values.length)];
          if (value === undefined) break;
          const other = random.chance(0.6) ? this.number() : JSON.stringify(this.text());
          text = text.slice(0, value.index) + other + text.slice(value.index + value[0].length);
          break;
        }
        case 1:
          text = text.slice(0, at) + text.slice(at + 1 + random.int(40));
          break;
        case 2:
          text = text.slice(0, at) + random.pick(['"', "[", "]", "{", "}", ",", ":", "\n", "\0", "=", this.text()]) + text.slice(at);
          break;
        default:
          text = text.slice(0, at) + text.slice(random.int(at + 1));
      }
    }
    return text;
  }

  /** A log, or what is taken for one; some hundred kilobytes of text at most. */
  log(): Uint8Array {
    const text = this.#logText();
    switch (this.random.weighted([6, 1, 1, 1, 1])) {
      case 1:
        return gzipSync(text);
      case 2:
        return Bun.zstdCompressSync(text);
      case 3:
        return this.spoil(this.random.chance(0.5) ? gzipSync(text) : Bun.zstdCompressSync(text));
      case 4:
        return this.spoil(text);
      default:
        return text;
    }
  }

  #logText(): Uint8Array {
    const { random } = this;
    const { lines } = this.#sound;
    switch (random.weighted([4, 4, 3, 1, 1, 1, 1])) {
      case 0:
        return randomLines(random, 1 + random.int(200));
      case 1:
        return mutatedLines(random, lines, 1 + random.int(200));
      case 2:
        return this.#events(1 + random.int(150), () => this.text());
      case 3: {
        // One text of a kind that grows.
        const pump = random.pick(PUMPS);
        const long = pump.repeat(random.pick([500, 5000, 50_000]) / pump.length);
        return this.#events(4 + random.int(10), () => (random.chance(0.4) ? long : this.text()));
      }
      case 4: {
        // Many of what should be few.
        const n = 100 + random.int(300);
        return this.#events(n, i => `${random.pick(["a", "\u001b", "é"])}${i}`);
      }
      case 5: {
        const depth = random.pick([10, 1000, 100_000]);
        const nest = random.pick(["[", '{"a":', '[{"log":']);
        return Buffer.from(`{"eventid":"cowrie.x","timestamp":"2024-01-31T10:00:00Z","a":${nest.repeat(depth)}`);
      }
      default:
        return Buffer.concat([new Uint8Array(random.int(1000)), ...lines.slice(0, random.int(50)).flatMap(line => [line, encoder.encode("\n")])]);
    }
  }

  /** Events whose texts are what `textOf` gives; days, sensors, sessions and addresses among them. */
  #events(count: number, textOf: (i: number) => string): Uint8Array {
    const { random } = this;
    const ids = (
      "session.connect session.closed login.success login.failed command.input client.version client.kex " +
      "session.file_download session.file_upload direct-tcpip.request virustotal.scanfile client.fingerprint log.closed"
    ).split(" ");
    const keys =
      "username password input url outfile shasum filename destfile version hassh fingerprint key data ttylog dst_ip arch sha256".split(" ");
    const spread = random.pick([1, 5, 400, 60_000]);
    const lines = Array.from({ length: count }, (_, i) => {
      const day = new Date((random.int(spread) + 3650) * 86_400_000).toISOString().slice(0, 10);
      const event: Record<string, unknown> = {
        eventid: `cowrie.${random.chance(0.97) ? random.pick(ids) : textOf(i)}`,
        timestamp: `${day}T${String(random.int(24)).padStart(2, "0")}:00:00.${random.int(999999)}Z`,
        sensor: random.chance(0.7) ? "pot" : textOf(i),
        session: random.chance(0.5) ? `s${random.int(9)}` : textOf(i),
        src_ip: random.chance(0.5) ? `198.51.100.${random.int(256)}` : textOf(i),
      };
      for (let more = random.int(6); more > 0; more--) event[random.pick(keys)] = textOf(i);
      const line = JSON.stringify(event);
      const port = `"dst_port":${random.chance(0.8) ? 22 : this.number()},"duration":${random.chance(0.8) ? 3 : this.number()}`;
      return `${line.slice(0, -1)},${port}}\n`;
    });
    return encoder.encode(lines.join(""));
  }

  /** Bytes of Arrow: an event table or a reduced one, spoiled. */
  arrow(): Uint8Array {
    const sound = this.random.chance(0.8) ? this.#sound.reducedTable : this.#sound.eventTable;
    return this.random.chance(0.5) ? this.spoil(sound) : this.#spoilTexts(sound);
  }

  /** Bytes that stay a table, but whose texts hold what no text of a table may. */
  #spoilTexts(sound: Uint8Array): Uint8Array {
    const bytes = Buffer.from(sound);
    for (const { index, 0: run } of bytes.toString("latin1").matchAll(/[\w./:-]{5,}/g)) {
      if (this.random.chance(0.9)) continue;
      for (let i = 0; i < run.length; i++) {
        if (this.random.chance(0.4)) bytes[index + i] = this.random.pick([0x1b, 0, 0x0a, 0x9b, 0xff, 0xed, 0x3c, 0x3d, 0x22]);
      }
    }
    return bytes;
  }

  /** Counts for people: sound JSON with values that no count can have, or no JSON. */
  reducedJson(): Uint8Array {
    const { random } = this;
    const { reducedJson } = this.#sound;
    if (random.chance(0.1)) return encoder.encode(this.spoilText(reducedJson));
    if (random.chance(0.05)) return this.spoil(encoder.encode(reducedJson));
    const days = JSON.parse(reducedJson) as unknown[];
    for (let changes = random.weighted([4, 2, 1]); changes > 0; changes--) this.#spoilValue(days);
    // Texts that fit stand everywhere; what does not fit ends the reading.
    const text = () => JSON.stringify(this.text());
    let json = JSON.stringify(days).replace(/"(?:root|pot|[\w.-]*\.[\w.-]*)"(?!:)/g, all => (random.chance(0.3) ? text() : all));
    if (random.chance(0.15)) json = json.replace(/"count":\d+/g, all => (random.chance(0.1) ? `"count":${this.number()}` : all));
    if (random.chance(0.2)) json = json.replace(/"date":"[^"]*"/g, () => `"date":"${1970 + random.int(230)}-0${1 + random.int(9)}-11"`);
    return encoder.encode(json);
  }

  /** Change one value anywhere below, or put it there twice. */
  #spoilValue(value: unknown): void {
    const { random } = this;
    let at = value as Record<string, unknown>;
    for (;;) {
      const keys = Object.keys(at);
      if (keys.length === 0) return;
      const key = random.pick(keys);
      const next = at[key];
      if (typeof next === "object" && next !== null && random.chance(0.85)) {
        at = next as Record<string, unknown>;
        continue;
      }
      if (Array.isArray(at) && random.chance(0.5)) at.push(structuredClone(next));
      else at[key] = random.pick<unknown>([this.text(), -1, 2 ** 53, 1e300, 0.5, null, [], {}, structuredClone(next)]);
      return;
    }
  }

  /** A file of nodes, TOML or JSON. */
  nodes(): string {
    const value = () => (this.random.chance(0.5) ? JSON.stringify(this.text()) : this.number());
    const sound =
      '[defaults]\nuser = "pot"\nport = 22\nidentity = "none"\n[[node]]\nname = "ams"\nhost = "203.0.113.5"\ntags = ["eu"]\n' +
      `[[node]]\nname = "sgp"\nhost = "203.0.113.9"\nlog_path = "/srv"\nrobot_max_seconds = 5\npassword_env = "X"\n`;
    if (this.random.chance(0.3)) {
      return JSON.stringify({ defaults: { user: this.text() }, node: [{ name: this.text(), host: this.text(), port: value() }] });
    }
    return this.random.chance(0.5) ? this.spoilText(sound) : `[[node]]\nname = ${value()}\nhost = ${value()}\njump = ${value()}\n`;
  }

  knownHosts(): string {
    const key = Buffer.from(this.spoil(Buffer.from(`\0\0\0\x0bssh-ed25519\0\0\0\x20${"k".repeat(32)}`))).toString("base64");
    const hosts = () =>
      this.random.pick(["127.0.0.1", "[127.0.0.1]:2222", "*", "!*", "*.*.*.*,?".repeat(30), "|1|x|y", "|1||", this.text()]);
    return Array.from({ length: this.random.int(20) }, () =>
      this.spoilText(`${this.random.pick(["", "", "@revoked ", "@cert-authority ", "@"])}${hosts()} ssh-ed25519 ${key} c`),
    ).join("\n");
  }

  crontab(): string {
    const line = () =>
      this.random.pick([
        "15 3 * * * true # cowrie-longitudinal: nightly",
        `${this.text()} # cowrie-longitudinal: ${this.text()}`,
        "MAILTO=",
        `${" ".repeat(this.random.int(2000))}MAILTO = ${this.text()}`,
        "\n".repeat(this.random.int(2000)),
        this.text(),
      ]);
    return this.spoilText(Array.from({ length: this.random.int(12) }, line).join("\n"));
  }

  /** What a node says when its logs are listed, sized or sent. */
  answer(sound: Uint8Array): Uint8Array {
    const { random } = this;
    switch (random.weighted([6, 1, 1, 1])) {
      case 0: {
        // What proves that a shell answers stands first.
        const head = random.chance(0.8) ? Math.min(sound.length, 60) : 0;
        return Buffer.concat([sound.subarray(0, head), this.spoil(sound.subarray(head))]);
      }
      case 1:
        return encoder.encode(this.text().repeat(random.pick([1, 100, 1000])));
      case 2:
        return Buffer.concat([sound, sound]);
      default:
        return new Uint8Array(random.int(3) * 100_000);
    }
  }

  /**
   * Logs, and what stands among logs, under names that were chosen with care.
   *
   * @returns Bytes of all of it.
   */
  async tree(folder: string): Promise<number> {
    const { random } = this;
    let sizeBytes = 0;
    await mkdir(folder, { recursive: true });
    for (let files = 1 + random.int(4); files > 0; files--) {
      const path = join(folder, random.pick(NAMES));
      const bytes = random.chance(0.85) ? this.log() : random.chance(0.5) ? this.arrow() : new Uint8Array(0);
      try {
        switch (random.weighted([10, 1, 1, 1])) {
          case 0:
            await Bun.write(path, bytes);
            sizeBytes += bytes.length;
            // A table of somebody else's beside it.
            if (random.chance(0.3)) await Bun.write(`${path}.arrow`, random.chance(0.5) ? this.arrow() : this.#sound.eventTable);
            if (random.chance(0.05)) await chmod(path, 0);
            break;
          case 1:
            await symlink(random.pick([".", "..", "/proc/self", "cowrie.json", "nowhere"]), path);
            break;
          case 2:
            await mkdir(path);
            break;
          default:
            Bun.spawnSync(["mkfifo", path]);
        }
      } catch {
        // Two of one name, or a name this file system does not have.
      }
    }
    return sizeBytes;
  }
}
