/** Lines of JSON as nobody would write them, and good lines spoiled: what a reader must take as JSON.parse does. */
import { ACTION, KEY_RULES } from "../../lib/events/schema.ts";
import type { Random } from "../support/random.ts";

const encoder = new TextEncoder();

/** Keys that have a rule, that Cowrie has besides, and that trip a careless reader. */
const KNOWN_KEYS = [...KEY_RULES.keys()].filter(key => key !== "eventid" && key !== "timestamp");
const STRANGE_KEYS = [
  "",
  "0",
  "10",
  "2",
  "4294967295",
  "-1",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "extra",
  "eventId",
  "hasshAlgorithms",
  "kexAlgs",
  "é",
  "\u2028",
  "\ud83d\ude00",
  "\ud800",
  'a"b',
  "a\\b",
  "\u0000",
  "log",
  "line_hash",
  "Telnet",
];

const EVENTIDS = [
  "cowrie.session.connect",
  "cowrie.session.closed",
  "cowrie.login.failed",
  "cowrie.login.success",
  "cowrie.command.input",
  "cowrie.client.version",
  "cowrie.client.kex",
  "cowrie.session.file_download",
  "cowrie.session.file_upload",
  "cowrie.direct-tcpip.request",
  "cowrie.virustotal.scanfile",
  "cowrie.greynoise.result",
  "KIPP0003",
  "COW0017",
  "",
  "é",
];

const TEXTS = [
  "",
  "a",
  "root",
  "123456",
  "::ffff:203.0.113.7",
  "203.0.113.7",
  "2001:db8::1",
  "SSHService b'ssh-userauth'",
  "Telnet",
  "CowrieTelnetTransport,1,203.0.113.7",
  "b'SSH-2.0-Go'",
  "'x'",
  "é",
  "\u0000",
  "\u001b[2J",
  "\u007f",
  "\u2028",
  "\ud83d\ude00",
  "\ud800",
  "\udc00x",
  "\ufeff",
  "\\",
  '"',
  "/",
  "</script>",
  "\n",
  "\t",
  '{"eventid":"x"}',
  "0",
  "22",
  "1.5",
  "true",
  "null",
  "x".repeat(700),
  "é".repeat(300),
  "\ufffd",
];

const NUMBERS = [
  "0",
  "-0",
  "1",
  "22",
  "65535",
  "65536",
  "4294967295",
  "4294967296",
  "2147483648",
  "-1",
  "1.0",
  "1.5",
  "0.1",
  "1e3",
  "1E+3",
  "1e-3",
  "1e400",
  "-1e400",
  "9007199254740993",
  "123456789012345678901234567890",
  "0.30000000000000004",
  "5e-324",
  "17.199999809265137",
  "0.00000000000000000000000000001",
  "3.141592653589793238462643383279",
  "1.7976931348623157e308",
  // Not JSON.
  "01",
  "00",
  "-",
  "+1",
  ".5",
  "1.",
  "1e",
  "1e+",
  "0x10",
  "NaN",
  "Infinity",
  "1_000",
  "-01",
  "1.5.5",
  "١",
];

const TIMESTAMPS = [
  "2024-01-31T10:00:00.000000Z",
  "2024-01-31T10:00:00Z",
  "2024-01-31T10:00:00.1Z",
  "2024-01-31T10:00:00.123456789Z",
  "2024-01-31T10:00:00+0200",
  "2024-01-31T10:00:00.5-03:30",
  "2024-02-29T23:59:59.999999Z",
  "2023-02-29T00:00:00Z",
  "2024-01-31T24:00:00Z",
  "2024-01-31T10:00:60Z",
  "2024-01-31T10:00:00",
  "2024-01-31 10:00:00Z",
  "1970-01-01T00:00:00Z",
  "1970-01-01T00:00:00+23:59",
  "2199-12-31T23:59:59.999999Z",
  "2200-01-01T00:00:00Z",
  "1969-12-31T23:59:59Z",
  "2024-13-01T00:00:00Z",
  "2024-01-31T10:00:00.Z",
  "2024-01-31T10:00:00.1234567890Z",
  "",
  "yesterday",
  "2024-01-31T10:00:00.000000z",
];

/** A JSON text as an attacker or another writer might spell it. */
class Speller {
  /** Lines as a program would write them: what lies on the fast path, and next to it. */
  #isTidy = true;
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  space(): string {
    const { random } = this;
    if (random.chance(0.8)) return "";
    if (this.#isTidy || random.chance(0.9)) return " ".repeat(1 + random.int(2));
    return random.pick(["\t", "\r", " \t ", "\u00a0", "\u000b", "\u2028"]);
  }

  text(text: string): string {
    const { random } = this;
    const escape = random.weighted([6, 2, 1]);
    let spelled = "";
    for (const unit of text.split("")) {
      const code = unit.charCodeAt(0);
      const mustEscape = code < 32 || unit === '"' || unit === "\\" || (code >= 0xd800 && code < 0xe000 && escape > 0);
      if (!mustEscape && (escape === 0 || (escape === 1 && !random.chance(0.2)))) {
        spelled += unit;
      } else if ('"\\/\b\f\n\r\t'.includes(unit) && random.chance(0.6)) {
        spelled += `\\${'"\\/bfnrt'['"\\/\b\f\n\r\t'.indexOf(unit)]}`;
      } else {
        const hex = code.toString(16).padStart(4, "0");
        spelled += `\\u${random.chance(0.3) ? hex.toUpperCase() : hex}`;
      }
    }
    // Not JSON: a raw control character, an escape there is none of.
    if (!this.#isTidy && random.chance(0.01))
      spelled += random.pick(["\\x41", "\\", "\u0001", "\\u12", "\\u12G4", '"', "\\'"]);
    return `"${spelled}"`;
  }

  value(depth = 0): string {
    const { random } = this;
    switch (random.weighted([10, 6, 1, 1, 1, depth < 4 ? 1.5 : 0, depth < 4 ? 1.5 : 0])) {
      case 0:
        return this.text(random.pick(TEXTS));
      case 1:
        return random.pick(this.#isTidy || random.chance(0.9) ? NUMBERS.slice(0, 26) : NUMBERS);
      case 2:
        return "null";
      case 3:
        return random.pick(
          this.#isTidy || random.chance(0.8) ? ["true", "false"] : ["True", "tru", "nul", "undefined"],
        );
      case 4:
        return random.pick(["[]", "{}", "[[]]", "[ ]", "{ }", "[{}]", `${"[".repeat(40)}${"]".repeat(40)}`]);
      case 5:
        return `[${this.space()}${this.list(() => this.value(depth + 1))}${this.space()}]`;
      default:
        return this.object(
          depth + 1,
          Array.from({ length: random.int(4) }, () => this.member(depth + 1)),
        );
    }
  }

  list(item: () => string): string {
    return Array.from({ length: this.random.int(4) }, item).join(`${this.space()},${this.space()}`);
  }

  member(depth: number): string {
    const { random } = this;
    const key = random.pick(random.chance(0.7) ? KNOWN_KEYS : STRANGE_KEYS);
    return this.pair(key, depth === 0 && this.#isTidy && random.chance(0.97) ? this.fitting(key) : this.value(depth));
  }

  /** A value of the type that the key has in Cowrie's logs, or a fast path would hardly ever be taken. */
  fitting(key: string): string {
    const { random } = this;
    switch (KEY_RULES.get(key)?.action) {
      case ACTION.text:
      case ACTION.system:
        return this.text(random.pick(TEXTS));
      case ACTION.whole:
        return String(random.int(70_000));
      case ACTION.duration:
        return random.pick(["1.25", '"0.5"', "3", "17.199999809265137", "0", "123456789.123456789"]);
      case ACTION.durationMs:
        return random.pick(["1250", "0", '"77"', "3.5"]);
      case ACTION.timestamp:
        return `"${random.pick(TIMESTAMPS)}"`;
      default:
        return this.value();
    }
  }

  pair(key: string, value: string): string {
    // A key is mostly written plainly; now and then with an escape in it.
    const name = this.random.chance(0.99) && !/["\\\u0000-\u001f]/.test(key) ? `"${key}"` : this.text(key);
    return `${name}${this.#isTidy ? "" : this.space()}:${this.space()}${value}`;
  }

  object(depth: number, members: string[]): string {
    const { random } = this;
    if (!this.#isTidy && random.chance(0.03)) members.push("");
    const comma = random.pick([",", ",", ", ", " ,"]);
    const joined = members.join(depth === 0 ? comma : `${this.space()},${this.space()}`);
    return `{${this.#isTidy ? "" : this.space()}${joined}${this.space()}}`;
  }

  event(): string {
    const { random } = this;
    const eventid = this.#isTidy || random.chance(0.9) ? this.text(random.pick(EVENTIDS)) : this.value();
    // The first three forms are today's, the first seven can be read.
    const readable = this.#isTidy && random.chance(0.8) ? 3 : random.chance(0.8) ? 7 : undefined;
    const timestamp = random.chance(0.97)
      ? `"${random.pick(TIMESTAMPS.slice(0, readable))}"`
      : this.value();
    const members = [
      ...(random.chance(0.98) ? [this.pair("eventid", eventid)] : []),
      ...(random.chance(0.98) ? [this.pair("timestamp", timestamp)] : []),
      ...Array.from({ length: random.int(9) }, () => this.member(0)),
    ];
    if (random.chance(0.5)) members.push(this.pair("message", this.value()));
    if (random.chance(0.05)) members.push(random.pick(members));
    return this.object(0, random.shuffle(members));
  }

  line(): string {
    const { random } = this;
    this.#isTidy = random.chance(0.7);
    switch (random.weighted([50, 2, 1, 1, 1, 1, 1])) {
      case 0:
        return `${this.#isTidy ? "" : this.space()}${this.event()}${this.space()}`;
      case 1:
        return `[${this.list(() => (random.chance(0.8) ? this.event() : this.value()))}]`;
      case 2:
        return `${"\0".repeat(1 + random.int(5))}${random.chance(0.8) ? this.event() : ""}`;
      case 3:
        return this.event().slice(0, random.int(100)) + this.event();
      case 4:
        return `${this.pair("log", "")}${this.event()}`;
      case 5:
        return `{"log":${JSON.stringify(`${this.event()}\n`)},"stream":"stdout"}`;
      default:
        return this.value();
    }
  }
}

/** `count` lines, each ended by LF; some hold bytes that are no UTF-8. */
export function randomLines(random: Random, count: number): Uint8Array {
  const speller = new Speller(random);
  const lines: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = encoder.encode(`${speller.line().replaceAll("\n", "")}${random.chance(0.1) ? "\r" : ""}\n`);
    if (random.chance(0.05)) {
      const at = random.int(bytes.length - 1);
      bytes[at] = random.pick([0x80, 0xc3, 0xe2, 0xed, 0xf0, 0xff, 0xfe, 0xc0]);
    }
    lines.push(bytes);
  }
  return Buffer.concat(lines);
}

/**
 * Good lines, each with some bytes changed, left out, put in or changed round; LF may go or come as well.
 *
 * @param lines Without LF.
 */
export function mutatedLines(random: Random, lines: readonly Uint8Array[], count: number): Uint8Array {
  // Bytes that mean something to a reader of JSON come more often than chance would have it.
  const telling = encoder.encode('"""{}[]:,\\\\ \t\r\n\0u0019.eE+-Z');
  const anyByte = () => (random.chance(0.6) ? random.pick([...telling]) : random.int(256));
  const out: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    let line = [...random.pick(lines)];
    for (let changes = random.weighted([1, 8, 4, 2, 1]); changes > 0; changes--) {
      const at = random.int(line.length + 1);
      switch (random.weighted([4, 3, 3, 2, 1, 1])) {
        case 0:
          if (at < line.length) line[at] = anyByte();
          break;
        case 1:
          line.splice(at, 1 + random.int(random.chance(0.8) ? 2 : 40));
          break;
        case 2:
          line.splice(at, 0, anyByte());
          break;
        case 3: {
          const other = random.int(line.length + 1);
          [line[at], line[other]] = [line[other] ?? 0x20, line[at] ?? 0x20];
          break;
        }
        case 4:
          line.splice(at, 0, ...line.slice(random.int(at + 1), at));
          break;
        default:
          line = line.slice(at).concat(line.slice(0, at));
      }
    }
    out.push(Uint8Array.from(line), Uint8Array.of(0x0a));
  }
  return Buffer.concat(out);
}
