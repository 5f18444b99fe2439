/**
 * What each session leaves: its chain of commands and its marks, over all logs; one number per session and fact, so that a
 * million sessions fit into memory.
 *
 * Tested in `test/lib/campaigns/find-campaigns.test.ts`.
 */
import { allTexts, Dictionary, translator } from "../columns/dictionary.ts";
import { floats, type GrowingColumn, ints } from "../columns/growing-column.ts";
import { type SensorAliases, sensorNamer } from "../events/sensor-aliases.ts";
import type { LogSessions, SessionTexts, Trace } from "../logs/log-sessions.ts";
import { ChainTree, NO_CHAIN } from "../sessions/chain-tree.ts";
import { CommandCodes } from "../sessions/session-commands.ts";
import { fetchedBy } from "../text/command-urls.ts";
import { maskCommand } from "../text/masks.ts";
import { type PublicKey, publicKeysOf } from "../text/ssh-keys.ts";
import { fileNameOf, type Mark, markOfHash, marksOfFetched, marksOfUrl } from "./marks.ts";

/** Commands of a session that are told apart. */
const STEPS = 64;
/** Marks of one kind in a session from which on it is a list of others' and none of its own. */
const MARKS_MOST = 16;
/** Places a command names that are looked at: more than of one kind may be. */
const FETCHED_MOST = 256;
/** No value. */
export const NONE = -1;

/** What is known of sessions that left something; `x[session]`. */
export interface MarkedSessions {
  readonly count: number;
  /** Of its first and last event, microseconds since 1970-01-01 UTC. */
  readonly firstUs: Float64Array;
  readonly lastUs: Float64Array;
  /** Of its first command; Infinity where nothing was typed. */
  readonly typedUs: Float64Array;
  readonly sensor: Int32Array;
  /** Codes in the dictionaries below, -1 = none. */
  readonly address: Int32Array;
  readonly hassh: Int32Array;
  readonly version: Int32Array;
  readonly credential: Int32Array;
  /** In the tree. */
  readonly chain: Int32Array;
  /** Place in {@link markSets}. */
  readonly markSet: Int32Array;
  /** Lists of codes of marks, rising, by number of the set; the first is empty. */
  readonly markSets: readonly (readonly number[])[];
  readonly marks: readonly Mark[];
  /** What a file was called, by the code of its mark. */
  readonly fileNames: ReadonlyMap<number, string>;
  /** By fingerprint. */
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly tree: ChainTree;
  /** Masked, by the codes in the tree. */
  readonly commands: readonly string[];
  /** A command as it was typed, by the same codes. */
  readonly examples: readonly string[];
  readonly sensors: readonly string[];
  readonly addresses: Dictionary;
  readonly hasshes: Dictionary;
  readonly versions: Dictionary;
  /** User name and password, NUL between them. */
  readonly credentials: Dictionary;
  /** Sessions that connected, whether they left anything or not. */
  readonly all: number;
  idOf(session: number): string;
}

interface Known {
  readonly command: number;
  /** Which its words leave; looked for when a session has them. */
  marks: readonly number[] | undefined;
}

/** Takes the sessions of logs, in any order. */
export class SessionMarks {
  readonly #nameOf: (sensor: string) => string;
  readonly #sensors = new Map<string, number>();
  /** Number of the sensor and id of the session, a blank between them. */
  readonly #ids = new Dictionary();
  readonly #codes: CommandCodes;
  readonly #inputs = new Map<string, Known>();
  readonly #traced = new Map<string, readonly number[]>();
  readonly #markCodes = new Map<string, number>();
  /** Sets of marks, rising: as chains of codes, equal ones are one number. */
  readonly #sets = new ChainTree(Infinity);
  readonly #marks: Mark[] = [];
  readonly #fileNames = new Map<number, string>();
  readonly #keys = new Map<string, PublicKey>();
  readonly #tree = new ChainTree(STEPS);
  #scratch = new Uint8Array(64);
  #all = 0;
  readonly #facts = {
    firstUs: floats(),
    lastUs: floats(),
    /** Of its first command: the part of a chain that begins sooner comes first, in whichever table it lies. */
    typedUs: floats(),
    sensor: ints(),
    address: ints(),
    hassh: ints(),
    version: ints(),
    credential: ints(),
    chain: ints(),
    markSet: ints(),
  };
  readonly #dictionaries = {
    address: new Dictionary(),
    hassh: new Dictionary(),
    version: new Dictionary(),
    credential: new Dictionary(),
  };

  /** @param codes Numbers commands, for others as well. */
  constructor(sensorAliases?: SensorAliases, codes = new CommandCodes(maskCommand)) {
    this.#nameOf = sensorNamer(sensorAliases);
    this.#codes = codes;
  }

  take(log: LogSessions): void {
    this.#all += log.connects;
    const inputs = allTexts(log.inputs);
    // Numbered in the order in which they were typed, whichever session has them.
    const known = inputs.map(input => this.#inputOf(input));
    const traced = log.traces.map(trace => this.#marksOf(trace));
    const sensors: number[] = [];
    const { address, hassh, version, credential } = this.#dictionaries;
    const copy: Copies = {
      address: copier(log.address, address),
      hassh: copier(log.hassh, hassh),
      version: copier(log.version, version),
      credential: copier(log.credential, credential),
    };
    const { typed, left } = log;
    for (let slot = 0; slot < log.sensor.length; slot++) {
      if (log.firstUs[slot] === Infinity) continue;
      const commands: number[] = [];
      const marks: number[] = [];
      for (let at = left.starts[slot]!; at < left.starts[slot + 1]!; at++) marks.push(...traced[left.values[at]!]!);
      for (let at = typed.starts[slot]!; at < typed.starts[slot + 1]!; at++) {
        const code = typed.values[at]!;
        const input = known[code]!;
        commands.push(input.command);
        const own = (input.marks ??= this.#marksIn(inputs[code]!));
        for (let i = 0; i < own.length; i++) marks.push(own[i]!);
      }
      if (commands.length === 0 && marks.length === 0 && log.isWhole[slot] === 1) continue;
      const sensor = (sensors[log.sensor[slot]!] ??= this.#sensorOf(log.sensors[log.sensor[slot]!]!));
      const at = this.#recordOf(sensor, log, slot, copy);
      if (commands.length > 0) this.#addChain(at, commands, log.typedUs[slot]!);
      if (marks.length > 0) this.#addMarks(at, marks);
    }
  }

  finish(): MarkedSessions {
    const ids = this.#ids;
    const markSets: (readonly number[])[] = [];
    const { firstUs, lastUs, typedUs, sensor, address, hassh, version, credential, chain, markSet } = this.#facts;
    const of = <Values extends Int32Array | Float64Array>({ values, length }: GrowingColumn<Values>) => values.subarray(0, length) as Values;
    for (const set of of(markSet)) markSets[set] ??= this.#sets.read(set).commands;
    return {
      count: ids.size,
      firstUs: of(firstUs),
      lastUs: of(lastUs),
      typedUs: of(typedUs),
      sensor: of(sensor),
      address: of(address),
      hassh: of(hassh),
      version: of(version),
      credential: of(credential),
      chain: of(chain),
      markSet: of(markSet),
      markSets,
      marks: this.#marks,
      fileNames: this.#fileNames,
      keys: this.#keys,
      tree: this.#tree,
      commands: this.#codes.commands,
      examples: this.#codes.spellings.map(({ example }) => example),
      sensors: [...this.#sensors.keys()],
      addresses: this.#dictionaries.address,
      hasshes: this.#dictionaries.hassh,
      versions: this.#dictionaries.version,
      credentials: this.#dictionaries.credential,
      all: this.#all,
      idOf: session => ids.text(session).replace(/^\d+ /, ""),
    };
  }

  #sensorOf(own: string): number {
    const name = this.#nameOf(own);
    let code = this.#sensors.get(name);
    if (code === undefined) this.#sensors.set(name, (code = this.#sensors.size));
    return code;
  }

  /** The session's number; what this log tells of it is noted. */
  #recordOf(sensor: number, log: LogSessions, slot: number, copy: Copies): number {
    const at = this.#numberOf(sensor, log, slot);
    const { firstUs, lastUs, typedUs, address, hassh, version, credential, chain, markSet } = this.#facts;
    if (at === firstUs.length) {
      firstUs.push(Infinity);
      lastUs.push(-Infinity);
      typedUs.push(Infinity);
      this.#facts.sensor.push(sensor);
      for (const list of [address, hassh, version, credential]) list.push(NONE);
      chain.push(NO_CHAIN);
      markSet.push(0);
    }
    firstUs.values[at] = Math.min(firstUs.values[at]!, log.firstUs[slot]!);
    lastUs.values[at] = Math.max(lastUs.values[at]!, log.lastUs[slot]!);
    if (address.values[at] === NONE) address.values[at] = copy.address(slot);
    if (hassh.values[at] === NONE) hassh.values[at] = copy.hassh(slot);
    if (version.values[at] === NONE) version.values[at] = copy.version(slot);
    if (credential.values[at] === NONE) credential.values[at] = copy.credential(slot);
    return at;
  }

  /** Bytes as they lie in the log's: a text would be made and taken apart again for every session. */
  #numberOf(sensor: number, { ids: { arena, offsets } }: LogSessions, slot: number): number {
    const head = `${sensor} `;
    const length = head.length + offsets[slot + 1]! - offsets[slot]!;
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(2 * length);
    for (let i = 0; i < head.length; i++) this.#scratch[i] = head.charCodeAt(i);
    for (let i = offsets[slot]!, to = head.length; i < offsets[slot + 1]!; i++, to++) this.#scratch[to] = arena[i]!;
    return this.#ids.intern(this.#scratch, 0, length);
  }

  #addChain(at: number, commands: readonly number[], us: number): void {
    const [chain, typedUs] = [this.#facts.chain.values, this.#facts.typedUs.values];
    const tree = this.#tree;
    chain[at] = typedUs[at]! <= us ? tree.extend(chain[at]!, commands) : tree.join(tree.extend(NO_CHAIN, commands), chain[at]!);
    typedUs[at] = Math.min(typedUs[at]!, us);
  }

  #addMarks(at: number, marks: readonly number[]): void {
    const markSet = this.#facts.markSet.values;
    const known = this.#sets.read(markSet[at]!).commands;
    const all = marks.length === 1 && known.length === 0 ? marks : united(known, marks);
    const own = all.length <= MARKS_MOST ? all : this.#withoutLists(all);
    markSet[at] = this.#sets.extend(NO_CHAIN, own);
  }

  #withoutLists(marks: readonly number[]): number[] {
    const perKind = Map.groupBy(marks, mark => this.#marks[mark]!.kind);
    return marks.filter(mark => perKind.get(this.#marks[mark]!.kind)!.length <= MARKS_MOST);
  }

  #inputOf(input: string): Known {
    let known = this.#inputs.get(input);
    if (known === undefined) this.#inputs.set(input, (known = { command: this.#codes.codeOf(input), marks: undefined }));
    return known;
  }

  /** The marks that the words of a command leave. */
  #marksIn(input: string): number[] {
    const keys = publicKeysOf(input);
    for (const key of keys) this.#noteKey(key);
    const marks = [
      ...keys.map(({ fingerprint }): Mark => ({ kind: "planted", value: fingerprint })),
      ...fetchedBy(input).slice(0, FETCHED_MOST).flatMap(marksOfFetched),
    ];
    return marks.map(mark => this.#markOf(mark));
  }

  /** The same trace is in one log after the other. */
  #marksOf(trace: Trace): readonly number[] {
    const name = `${trace.what}\u0000${trace.text}\u0000${trace.beside}`;
    let marks = this.#traced.get(name);
    if (marks === undefined) this.#traced.set(name, (marks = this.#marksOfTrace(trace)));
    return marks;
  }

  #marksOfTrace({ what, text, beside }: Trace): number[] {
    if (what === "url") return marksOfUrl(text).map(mark => this.#markOf(mark));
    return what === "key" ? this.#markOfKey(text, beside) : this.#markOfFile(text, beside);
  }

  #markOf(mark: Mark): number {
    const key = `${mark.kind} ${mark.value}`;
    let code = this.#markCodes.get(key);
    if (code === undefined) this.#markCodes.set(key, (code = this.#marks.push(mark) - 1));
    return code;
  }

  #markOfFile(hash: string, place: string): number[] {
    const mark = markOfHash(hash);
    if (mark === undefined) return [];
    const code = this.#markOf(mark);
    const name = fileNameOf(place.replace(/[?#].*$/s, ""));
    if (name !== undefined && !this.#fileNames.has(code)) this.#fileNames.set(code, name.slice(0, 256));
    return [code];
  }

  /** Whoever offers a key gives it no name. */
  #noteKey(key: PublicKey): void {
    if (this.#keys.get(key.fingerprint)?.comment === undefined) this.#keys.set(key.fingerprint, key);
  }

  /** Logs of before 2018 tell the fingerprint alone. */
  #markOfKey(text: string, fingerprint: string): number[] {
    const key = publicKeysOf(text)[0];
    if (key !== undefined) this.#noteKey(key);
    const value = key?.fingerprint ?? (fingerprint === "" ? undefined : fingerprint.slice(0, 256));
    return value === undefined ? [] : [this.#markOf({ kind: "offered", value })];
  }
}

/** Codes of two lists, rising; each once. */
function united(a: readonly number[], b: readonly number[]): number[] {
  const all = [...a, ...b].sort((one, other) => one - other);
  let size = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[size++] = all[i]!;
  all.length = size;
  return all;
}

/** The code of a session's text in the dictionary of all logs. */
type Copies = Readonly<Record<"address" | "hassh" | "version" | "credential", (slot: number) => number>>;

function copier({ codes, texts }: SessionTexts, to: Dictionary): (slot: number) => number {
  const translate = translator(texts, to);
  return slot => translate(codes[slot]!);
}
