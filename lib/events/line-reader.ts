/**
 * Lines of a Cowrie log, straight from their bytes into the columns of an {@link EventBuilder}.
 *
 * Two paths. The fast one knows the JSON that Cowrie writes: an object of strings, numbers and short nested values on
 * one line. It makes no object and no string per event: keys are recognised by their bytes, texts go into the
 * dictionaries by theirs. At anything it does not know (another white space, a second key of the same name, a number
 * in the place of a text, a line that is no JSON at all) it lets go of the line, and the plain path reads it with
 * JSON.parse. So whatever the fast path takes, it must take exactly as JSON.parse would: it checks all of JSON's
 * grammar, also in the values that it skips.
 */
import type { EventBuilder } from "./event-builder.ts";
import { type JsonObject, readRecords } from "./records.ts";
import {
  ACTION,
  isMessageRedundant,
  NUMBER_COLUMN_NAMES,
  NUMBER_COLUMNS,
  type Protocol,
  protocolOf,
  ruleOf,
  TEXT_COLUMNS,
  UNSIGNED_MAX,
} from "./schema.ts";
import { parseTimestampUs, TimestampReader } from "../text/time.ts";
import { noCounts } from "./source.ts";

/** Bytes that end the scan of a string whose text is kept: quote, backslash, control characters, non-ASCII. */
const TEXT_STOP = new Uint8Array(256).fill(1, 0, 32).fill(1, 128);
/** The same for a string that is skipped: bytes from 128 on are part of it, well formed or not. */
const SKIP_STOP = new Uint8Array(256).fill(1, 0, 32);
for (const stop of [TEXT_STOP, SKIP_STOP]) stop[0x22] = stop[0x5c] = 1;

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const EVENTID = TEXT_COLUMNS.indexOf("eventid");
const PROTOCOL = TEXT_COLUMNS.indexOf("protocol");
const EXTRA = TEXT_COLUMNS.indexOf("extra");

/** Nesting deeper than this is left to the plain path. */
const DEPTH_MAX = 32;
/** Distinct keys remembered; Cowrie has about a hundred, a log with more is read by the plain path from there on. */
const KEYS_MAX = 1024;
const KEY_SLOT_MASK = KEYS_MAX * 4 - 1;
/** Members kept in `extra` per event; an event with more is read by the plain path. */
const EXTRAS_MAX = 64;
/** Slots for what is expected in `extra`. */
const EXTRA_SLOT_MASK = 1023;
/** Largest whole number that is exact as digits are added up. */
const EXACT_MAX = 2 ** 53;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface LineReaderOptions {
  /** Read every line with JSON.parse: the plain path that the fast one is held against. */
  readonly plainOnly?: boolean;
  /** Called with every line that gave no event, or fewer than it holds records. `line` counts from 1. */
  readonly onReject?: (line: number, bytes: Uint8Array) => void;
}

export class LineReader {
  readonly counts = noCounts();
  readonly #builder: EventBuilder;
  readonly #plainOnly: boolean;
  readonly #onReject: LineReaderOptions["onReject"];
  readonly #timestamps = new TimestampReader();

  // Keys by their bytes up to and with the closing quote: `eventid"`.
  #keyCount = 0;
  readonly #keyBytes: Uint8Array[] = [];
  readonly #keyActions = new Uint8Array(KEYS_MAX);
  readonly #keyColumns = new Int32Array(KEYS_MAX);
  /** Key + 1 by the hash of its name, 0 = free; open addressing. */
  readonly #keySlots = new Int32Array(KEY_SLOT_MASK + 1);
  /** `#successors[key]` = the key that followed it last; the last one stands for the start of the object. */
  readonly #successors = new Int32Array(KEYS_MAX + 1);

  readonly #protocolCodes: Partial<Record<Protocol, number>> = {};

  /** Code last read per text column, -1 where none can be compared byte by byte. */
  readonly #lastCodes = new Int32Array(TEXT_COLUMNS.length).fill(-1);
  /** `#keepsMessage[eventid code]`; filled as ids appear. */
  #keepsMessage = new Uint8Array(256);
  #messageIdsKnown = 0;

  /** The block being read, for comparisons by the native code. */
  #block: Buffer = Buffer.alloc(0);
  #extraArena: Buffer = Buffer.alloc(0);
  /** `extra` code + 1 by what stood before it: a client's kex lists follow from its HASSH. */
  readonly #extraCandidates = new Int32Array(EXTRA_SLOT_MASK + 1);
  /** Where the members for `extra` of the line being read start and end. */
  readonly #extraStarts = new Int32Array(EXTRAS_MAX);
  readonly #extraEnds = new Int32Array(EXTRAS_MAX);
  #scratch = new Uint8Array(1 << 12);

  constructor(builder: EventBuilder, options: LineReaderOptions = {}) {
    this.#builder = builder;
    this.#plainOnly = options.plainOnly ?? false;
    this.#onReject = options.onReject;
    // The first prediction is only a guess; it must name a key that exists.
    this.#addKey("eventid");
  }

  /**
   * Read whole lines.
   *
   * @param bytes Holds the lines at `[start, end)`; the byte before `end` is LF, which every scan stops at.
   */
  readLines(bytes: Uint8Array, start: number, end: number): void {
    this.#block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const builder = this.#builder;
    const { counts } = this;
    let at = start;
    while (at < end) {
      const next = this.#plainOnly ? -1 : this.#readFast(bytes, at);
      if (next >= 0) {
        counts.lines++;
        counts.events++;
        if (builder.lineHash !== undefined) builder.lineHash[builder.row] = hashLine(bytes.subarray(at, next - 1));
        builder.endRow();
        at = next;
      } else {
        if (!this.#plainOnly) builder.clearRow();
        const lineEnd = bytes.indexOf(LF, at);
        this.readPlain(bytes.subarray(at, lineEnd));
        at = lineEnd + 1;
      }
    }
  }

  /**
   * Read one line by JSON.parse, mending it where it can be mended.
   *
   * @param line The bytes of the line without its LF.
   * @param isQuiet Do not report a reject: the caller may find that it is none.
   * @returns How many events it gave, and how many records of it were rejected.
   */
  readPlain(line: Uint8Array, isQuiet = false): { events: number; rejected: number } {
    const { counts } = this;
    counts.lines++;
    const records = readRecords(decoder.decode(line), counts.lines === 1);
    const lineHash = this.#builder.lineHash === undefined ? 0 : hashLine(line);
    for (const event of records.events) this.#addEvent(event, lineHash);
    if (records.sound) counts.events += records.events.length;
    else counts.repaired += records.events.length;
    counts.rejected += records.rejected;
    if (records.rejected > 0 && !isQuiet) this.#onReject?.(counts.lines, line);
    return { events: records.events.length, rejected: records.rejected };
  }

  /**
   * Read the line at `at` into the cells of the builder's current row.
   *
   * @returns Where the next line starts, or -1 if the line is left to the plain path; the cells must then be cleared.
   */
  #readFast(bytes: Uint8Array, at: number): number {
    const builder = this.#builder;
    const row = builder.row;
    const codes = builder.codes;
    const successors = this.#successors;
    const lastCodes = this.#lastCodes;
    let previousKey = KEYS_MAX;
    let timestampUs = NaN;
    let extras = 0;
    let messageStart = -1;
    let messageEnd = -1;
    let systemStart = -1;
    let systemEnd = -1;
    let context = 0;
    let extraSlot = 0;
    let extraCode = -1;

    if (bytes[at] !== OPEN) return -1;
    at++;
    while (bytes[at] === SPACE) at++;
    for (;;) {
      if (bytes[at] !== QUOTE) return -1;
      const memberStart = at++;

      let key = successors[previousKey]!;
      const expected = this.#keyBytes[key]!;
      let i = 0;
      while (i < expected.length && expected[i] === bytes[at + i]) i++;
      if (i === expected.length) {
        at += i;
      } else {
        key = this.#findKey(bytes, at);
        if (key < 0) return -1;
        successors[previousKey] = key;
        at += this.#keyBytes[key]!.length;
      }
      previousKey = key;
      if (bytes[at] !== COLON) return -1;
      at++;
      while (bytes[at] === SPACE) at++;

      switch (this.#keyActions[key]) {
        case ACTION.text: {
          if (bytes[at] !== QUOTE) return -1;
          at++;
          const column = this.#keyColumns[key]!;
          const cells = codes[column]!;
          if (cells[row] !== -1) return -1;
          const dictionary = builder.dictionaries[column]!;
          // Events of one session, sensor and address come one behind the other: try the last text first.
          const last = lastCodes[column]!;
          if (last >= 0) {
            const { arena } = dictionary;
            let j = dictionary.offsets[last]!;
            const lastEnd = dictionary.offsets[last + 1]!;
            let k = at;
            while (j < lastEnd && arena[j] === bytes[k]) {
              j++;
              k++;
            }
            if (j === lastEnd && bytes[k] === QUOTE) {
              cells[row] = last;
              context = last;
              at = k + 1;
              break;
            }
          }
          let textEnd = at;
          while (TEXT_STOP[bytes[textEnd]!] === 0) textEnd++;
          if (bytes[textEnd] === QUOTE) {
            const code = dictionary.intern(bytes, at, textEnd, 1);
            cells[row] = code;
            context = code;
            // The same text may have come in by an escape first; then its bytes cannot be compared.
            lastCodes[column] = dictionary.plain[code] === 1 ? code : -1;
            at = textEnd + 1;
          } else {
            const stringEnd = skipString(bytes, at);
            if (stringEnd < 0) return -1;
            cells[row] = this.#internEscaped(column, bytes, at, stringEnd - 1);
            at = stringEnd;
          }
          break;
        }
        case ACTION.timestamp: {
          if (bytes[at] !== QUOTE || timestampUs === timestampUs) return -1;
          timestampUs = this.#timestamps.read(bytes, at + 1);
          if (timestampUs !== timestampUs) return -1;
          at = this.#timestamps.end + 1;
          break;
        }
        case ACTION.message: {
          if (messageStart >= 0) return -1;
          messageStart = memberStart;
          at = skipValue(bytes, at, 0);
          if (at < 0) return -1;
          messageEnd = at;
          break;
        }
        case ACTION.drop: {
          at = skipValue(bytes, at, 0);
          if (at < 0) return -1;
          break;
        }
        case ACTION.whole: {
          const cells = builder.numbers[this.#keyColumns[key]!]!;
          if (cells[row] === cells[row]) return -1;
          let digit = bytes[at]! - 48;
          if (!(digit >= 0 && digit <= 9)) return -1;
          const first = digit;
          const numberStart = at;
          let value = 0;
          for (; digit >= 0 && digit <= 9; digit = bytes[at]! - 48) {
            value = value * 10 + digit;
            at++;
          }
          // A leading zero, a value out of range, a fraction: not ours.
          if (first === 0 && at - numberStart > 1) return -1;
          if (value > this.#wholeMax(this.#keyColumns[key]!)) return -1;
          cells[row] = value;
          break;
        }
        case ACTION.duration:
        case ACTION.durationMs: {
          const cells = builder.numbers[this.#keyColumns[key]!]!;
          if (cells[row] === cells[row]) return -1;
          const quoted = bytes[at] === QUOTE;
          if (quoted) at++;
          let digit = bytes[at]! - 48;
          if (!(digit >= 0 && digit <= 9)) return -1;
          const first = digit;
          const numberStart = at;
          let value = 0;
          for (; digit >= 0 && digit <= 9; digit = bytes[at]! - 48) {
            value = value * 10 + digit;
            at++;
          }
          if (first === 0 && at - numberStart > 1) return -1;
          // One division of two exact numbers is rounded once, as the nearest double to the decimal is (Clinger 1990).
          let scale = this.#keyActions[key] === ACTION.durationMs ? 1000 : 1;
          if (bytes[at] === 0x2e) {
            if (scale !== 1) return -1;
            at++;
            const fractionStart = at;
            for (digit = bytes[at]! - 48; digit >= 0 && digit <= 9; digit = bytes[at]! - 48) {
              value = value * 10 + digit;
              scale *= 10;
              at++;
            }
            if (at === fractionStart) return -1;
          }
          const numberEnd = at;
          if (quoted) {
            if (bytes[at] !== QUOTE) return -1;
            at++;
          }
          if (value < EXACT_MAX && scale <= 1e22) cells[row] = value / scale;
          // Old Cowrie wrote all 17 digits of a double; the library rounds those right.
          else if (this.#keyActions[key] === ACTION.duration) cells[row] = decimalOf(bytes, numberStart, numberEnd);
          else return -1;
          break;
        }
        case ACTION.system: {
          if (systemStart >= 0 || bytes[at] !== QUOTE) return -1;
          systemStart = at + 1;
          at++;
          while (SKIP_STOP[bytes[at]!] === 0) at++;
          // An escape could hide the letters looked for below.
          if (bytes[at] !== QUOTE) return -1;
          systemEnd = at++;
          break;
        }
        default: {
          if (extras === EXTRAS_MAX) return -1;
          if (extras === 0) {
            extraSlot = (context ^ key) & EXTRA_SLOT_MASK;
            const candidate = this.#extraCandidates[extraSlot]! - 1;
            const end = candidate < 0 ? -1 : this.#matchExtra(candidate, memberStart);
            if (end >= 0) {
              at = end;
              extraCode = candidate;
            } else {
              at = skipValue(bytes, at, 0);
            }
          } else {
            at = skipValue(bytes, at, 0);
            extraCode = -1;
          }
          if (at < 0) return -1;
          this.#extraStarts[extras] = memberStart;
          this.#extraEnds[extras] = at;
          extras++;
        }
      }

      while (bytes[at] === SPACE) at++;
      const separator = bytes[at++];
      if (separator === COMMA) {
        while (bytes[at] === SPACE) at++;
      } else if (separator === CLOSE) {
        break;
      } else {
        return -1;
      }
    }
    while (bytes[at] === SPACE || bytes[at] === CR || bytes[at] === TAB) at++;
    if (bytes[at] !== LF) return -1;

    const eventid = codes[EVENTID]![row]!;
    if (eventid === -1 || timestampUs !== timestampUs) return -1;
    if (messageStart >= 0 && this.#isMessageKept(eventid)) {
      if (extras === EXTRAS_MAX) return -1;
      this.#extraStarts[extras] = messageStart;
      this.#extraEnds[extras] = messageEnd;
      extras++;
      // With a message in it, it would be expected of events that leave theirs out.
      extraSlot = -1;
      extraCode = -1;
    }
    if (systemStart >= 0 && codes[PROTOCOL]![row] === -1) {
      const protocol = protocolOfBytes(bytes, systemStart, systemEnd);
      if (protocol !== undefined) codes[PROTOCOL]![row] = this.#protocolCode(protocol);
    }
    if (extras > 0) {
      if (extraCode < 0) {
        extraCode = this.#internExtras(bytes, extras);
        if (extraSlot >= 0) this.#extraCandidates[extraSlot] = extraCode + 1;
      }
      codes[EXTRA]![row] = extraCode;
    }
    builder.timestampUs[row] = timestampUs;
    return at + 1;
  }
  /** Add an event that JSON.parse read. */
  #addEvent(event: JsonObject, lineHash: number): void {
    const builder = this.#builder;
    const { row, codes, numbers, dictionaries } = builder;
    const setText = (column: number, text: string) => {
      codes[column]![row] = dictionaries[column]!.internText(text);
    };
    const extras: string[] = [];
    const keep = (key: string, value: unknown) => extras.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
    let system: unknown;
    for (const key of Object.keys(event)) {
      const value = event[key];
      const { action, column } = ruleOf(key);
      switch (action) {
        case ACTION.text:
          if (key === "sha256" && typeof value !== "string") {
            // No hash, so nothing that a download could be joined with.
            if (value !== null) keep(key, value);
            break;
          }
          // `sha256` stands in for `shasum` and does not displace it.
          if (value !== null && (key === TEXT_COLUMNS[column] || codes[column]![row] === -1)) {
            setText(column, typeof value === "object" ? JSON.stringify(value) : String(value));
          }
          break;
        case ACTION.whole: {
          // Ports were written as text at times; a verdict with such figures is none.
          const mayBeText = key === "src_port" || key === "dst_port";
          const whole = mayBeText && typeof value === "string" && DIGITS.test(value) ? Number(value) : value;
          if (Number.isInteger(whole) && (whole as number) >= 0 && (whole as number) <= this.#wholeMax(column)) {
            numbers[column]![row] = whole as number;
          } else if (value !== null) {
            keep(key, value);
          }
          break;
        }
        case ACTION.duration:
        case ACTION.durationMs: {
          const duration = toNumber(value);
          if (duration === undefined) {
            if (value !== null) keep(key, value);
          } else if (action === ACTION.duration) {
            numbers[column]![row] = duration;
          } else if (Number.isNaN(numbers[column]![row]!)) {
            numbers[column]![row] = duration / 1000;
          }
          break;
        }
        case ACTION.timestamp:
          builder.timestampUs[row] = parseTimestampUs(value as string);
          break;
        case ACTION.system:
          system = value;
          break;
        case ACTION.message:
        case ACTION.drop:
          break;
        default:
          keep(key, value);
      }
    }
    if (Object.hasOwn(event, "message") && !isMessageRedundant(event.eventid as string)) keep("message", event.message);
    const protocol = typeof system === "string" ? protocolOf(system) : undefined;
    if (protocol !== undefined && codes[PROTOCOL]![row] === -1) codes[PROTOCOL]![row] = this.#protocolCode(protocol);
    if (extras.length > 0) setText(EXTRA, extras.join(","));
    if (builder.lineHash !== undefined) builder.lineHash[row] = lineHash;
    builder.endRow();
  }

  #protocolCode(protocol: Protocol): number {
    const known = this.#protocolCodes[protocol];
    if (known !== undefined) return known;
    const name = encoder.encode(protocol);
    return (this.#protocolCodes[protocol] = this.#builder.dictionaries[PROTOCOL]!.intern(name, 0, name.length, 1));
  }

  /** Find, or add, the key whose name starts at `at`; -1 if it is left to the plain path. */
  #findKey(bytes: Uint8Array, at: number): number {
    let end = at;
    let hash = 0;
    while (TEXT_STOP[bytes[end]!] === 0) hash = Math.imul(hash, 31) + bytes[end++]!;
    if (bytes[end] !== QUOTE) return -1;
    const length = end + 1 - at;
    let slot = hash & KEY_SLOT_MASK;
    for (let entry = this.#keySlots[slot]!; entry !== 0; entry = this.#keySlots[slot]!) {
      const name = this.#keyBytes[entry - 1]!;
      let i = 0;
      if (name.length === length) while (i < length && name[i] === bytes[at + i]) i++;
      if (i === length) return entry - 1;
      slot = (slot + 1) & KEY_SLOT_MASK;
    }
    return this.#addKey(latin1.decode(bytes.subarray(at, end)));
  }

  #addKey(name: string): number {
    const key = this.#keyCount;
    if (key === KEYS_MAX) return -1;
    const { action, column } = ruleOf(name);
    const keyBytes = encoder.encode(`${name}"`);
    this.#keyBytes.push(keyBytes);
    this.#keyActions[key] = action;
    this.#keyColumns[key] = column;
    let hash = 0;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash, 31) + keyBytes[i]!;
    let slot = hash & KEY_SLOT_MASK;
    while (this.#keySlots[slot] !== 0) slot = (slot + 1) & KEY_SLOT_MASK;
    this.#keySlots[slot] = key + 1;
    this.#keyCount++;
    return key;
  }

  #wholeMax(column: number): number {
    const type = NUMBER_COLUMNS[NUMBER_COLUMN_NAMES[column]!];
    return type === "float64" ? EXACT_MAX : UNSIGNED_MAX[type];
  }

  #isMessageKept(eventid: number): boolean {
    const dictionary = this.#builder.dictionaries[EVENTID]!;
    for (let code = this.#messageIdsKnown; code < dictionary.size; code++) {
      if (code === this.#keepsMessage.length) {
        const grown = new Uint8Array(code * 2);
        grown.set(this.#keepsMessage);
        this.#keepsMessage = grown;
      }
      this.#keepsMessage[code] = isMessageRedundant(dictionary.text(code)) ? 0 : 1;
    }
    this.#messageIdsKnown = dictionary.size;
    return this.#keepsMessage[eventid] === 1;
  }

  /**
   * Intern a string that has escapes or bytes beyond ASCII.
   *
   * @param start Where its text starts, behind the opening quote.
   * @param end Where its closing quote is; the escapes between are sound.
   */
  #internEscaped(column: number, bytes: Uint8Array, start: number, end: number): number {
    const dictionary = this.#builder.dictionaries[column]!;
    // An escape is never shorter than what it stands for.
    if (end - start > this.#scratch.length) this.#scratch = new Uint8Array((end - start) * 2);
    const scratch = this.#scratch;
    let to = 0;
    for (let from = start; from < end; ) {
      const byte = bytes[from++]!;
      if (byte >= 128) return dictionary.internText(parseString(bytes, start, end));
      if (byte !== BACKSLASH) {
        scratch[to++] = byte;
        continue;
      }
      const escape = bytes[from++]!;
      if (escape !== 0x75) {
        scratch[to++] = UNESCAPED[escape]!;
        continue;
      }
      const unit = hexValue(bytes, from);
      // Beyond two bytes of UTF-8 there are surrogates to pair: leave them to the library.
      if (unit >= 0x800) return dictionary.internText(parseString(bytes, start, end));
      from += 4;
      if (unit < 0x80) {
        scratch[to++] = unit;
      } else {
        scratch[to++] = 0xc0 | (unit >> 6);
        scratch[to++] = 0x80 | (unit & 0x3f);
      }
    }
    return dictionary.intern(scratch, 0, to, 0);
  }

  /**
   * Where the members end that stand at `at`, if they are those of a known `extra`; -1 if they are not.
   *
   * They need no check then: what is known was checked when it came in. A kex line of 1.2 kB is compared in a tenth of
   * the time that it takes to skip, hash and look it up.
   */
  #matchExtra(code: number, at: number): number {
    const { arena, offsets } = this.#builder.dictionaries[EXTRA]!;
    if (this.#extraArena.buffer !== arena.buffer) this.#extraArena = Buffer.from(arena.buffer);
    const start = offsets[code]!;
    const end = offsets[code + 1]!;
    const textEnd = at + end - start;
    if (textEnd > this.#block.length) return -1;
    return this.#block.compare(this.#extraArena, start, end, at, textEnd) === 0 ? textEnd : -1;
  }

  /** Intern the members that belong into `extra`, as they are written; they get one spelling at the end. */
  #internExtras(bytes: Uint8Array, extras: number): number {
    const dictionary = this.#builder.dictionaries[EXTRA]!;
    const starts = this.#extraStarts;
    const ends = this.#extraEnds;
    let length = ends[0]! - starts[0]!;
    let adjacent = true;
    for (let i = 1; i < extras; i++) {
      length += 1 + ends[i]! - starts[i]!;
      // No member fits into so few bytes: there is only a comma, perhaps a space, between the two.
      if (starts[i]! - ends[i - 1]! < 1 || starts[i]! - ends[i - 1]! > 3) adjacent = false;
    }
    if (adjacent) return dictionary.intern(bytes, starts[0]!, ends[extras - 1]!, 0);
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length * 2);
    const scratch = this.#scratch;
    let to = 0;
    for (let i = 0; i < extras; i++) {
      if (i > 0) scratch[to++] = COMMA;
      scratch.set(bytes.subarray(starts[i]!, ends[i]!), to);
      to += ends[i]! - starts[i]!;
    }
    return dictionary.intern(scratch, 0, to, 0);
  }
}

/** Hash of a line without its LF and CR: as much of 64 bits as a double holds exactly. */
function hashLine(line: Uint8Array): number {
  const text = line.at(-1) === CR ? line.subarray(0, -1) : line;
  return Number(Bun.hash.xxHash3(text) >> 11n);
}

/** ASCII bytes to text, one char a byte. */
const latin1 = new TextDecoder("latin1");

/** `UNESCAPED[byte behind a backslash]` = the byte it stands for; 0 = no such escape (`\u` apart). */
const UNESCAPED = new Uint8Array(256);
for (const [escape, byte] of [
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
] as const) {
  UNESCAPED[escape] = byte;
}

/** Value of four hexadecimal digits, -1 if they are none. */
function hexValue(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i]!;
    const digit = byte >= 48 && byte <= 57 ? byte - 48 : (byte | 32) >= 97 && (byte | 32) <= 102 ? (byte | 32) - 87 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** {@link protocolOf} on bytes without escapes. */
function protocolOfBytes(bytes: Uint8Array, start: number, end: number): Protocol | undefined {
  let isSsh = false;
  for (let i = start; i < end - 2; i++) {
    const byte = bytes[i];
    if (byte === 0x53 && bytes[i + 1] === 0x53 && bytes[i + 2] === 0x48) isSsh = true;
    else if (byte === 0x54 && i <= end - TELNET.length && matches(bytes, i, TELNET) > 0) return "telnet";
  }
  return isSsh ? "ssh" : undefined;
}

/** Value of a plain decimal. */
function decimalOf(bytes: Uint8Array, start: number, end: number): number {
  return Number(latin1.decode(bytes.subarray(start, end)));
}

/** Text of a sound JSON string, decoded as a whole line would be. */
function parseString(bytes: Uint8Array, start: number, end: number): string {
  return JSON.parse(`"${decoder.decode(bytes.subarray(start, end))}"`);
}

/**
 * Skip a string from behind its opening quote.
 *
 * @returns The position behind its closing quote, or -1 if it is not sound.
 */
function skipString(bytes: Uint8Array, at: number): number {
  for (;;) {
    while (SKIP_STOP[bytes[at]!] === 0) at++;
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return -1;
    const escape = bytes[at + 1]!;
    if (escape === 0x75) {
      if (hexValue(bytes, at + 2) < 0) return -1;
      at += 6;
    } else if (UNESCAPED[escape] !== 0) {
      at += 2;
    } else {
      return -1;
    }
  }
}

/** Skip any value; returns the position behind it, or -1 if it is not sound JSON as Cowrie writes it. */
function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  const byte = bytes[at]!;
  if (byte === QUOTE) return skipString(bytes, at + 1);
  if (byte === 0x2d || (byte >= 48 && byte <= 57)) return skipNumber(bytes, at);
  if (byte === OPEN || byte === 0x5b) return depth === DEPTH_MAX ? -1 : skipNested(bytes, at, depth + 1);
  if (byte === 0x74) return matches(bytes, at, TRUE);
  if (byte === 0x66) return matches(bytes, at, FALSE);
  if (byte === 0x6e) return matches(bytes, at, NULL);
  return -1;
}

const TRUE = encoder.encode("true");
const FALSE = encoder.encode("false");
const TELNET = encoder.encode("Telnet");
const NULL = encoder.encode("null");

function matches(bytes: Uint8Array, at: number, word: Uint8Array): number {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return -1;
  return at + word.length;
}

function skipDigits(bytes: Uint8Array, at: number): number {
  while (bytes[at]! >= 48 && bytes[at]! <= 57) at++;
  return at;
}

function skipNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x2d) at++;
  let end = skipDigits(bytes, at);
  if (end === at || (bytes[at] === 48 && end > at + 1)) return -1;
  if (bytes[end] === 0x2e) {
    const fraction = end + 1;
    end = skipDigits(bytes, fraction);
    if (end === fraction) return -1;
  }
  if ((bytes[end]! | 32) === 0x65) {
    let exponent = end + 1;
    if (bytes[exponent] === 0x2b || bytes[exponent] === 0x2d) exponent++;
    end = skipDigits(bytes, exponent);
    if (end === exponent) return -1;
  }
  return end;
}

/** Skip an object or an array. */
function skipNested(bytes: Uint8Array, at: number, depth: number): number {
  const isObject = bytes[at] === OPEN;
  const close = isObject ? CLOSE : 0x5d;
  at++;
  while (bytes[at] === SPACE) at++;
  if (bytes[at] === close) return at + 1;
  for (;;) {
    if (isObject) {
      if (bytes[at] !== QUOTE) return -1;
      at = skipString(bytes, at + 1);
      if (at < 0 || bytes[at] !== COLON) return -1;
      at++;
      while (bytes[at] === SPACE) at++;
    }
    at = skipValue(bytes, at, depth);
    if (at < 0) return -1;
    while (bytes[at] === SPACE) at++;
    const separator = bytes[at++];
    if (separator === close) return at;
    if (separator !== COMMA) return -1;
    while (bytes[at] === SPACE) at++;
  }
}

const DIGITS = /^\d+$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A finite number, or text that is one; undefined for anything else. */
function toNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && DECIMAL.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
