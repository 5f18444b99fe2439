/**
 * What was typed in each session, in order: command lines out of event tables, masked, one list of codes per session.
 */
import { dayOf } from "../text/time.ts";
import { Dictionary, type Texts, textOf } from "../columns/dictionary.ts";
import { floats, ints } from "../columns/growing-column.ts";
import { type EventBatch, type EventTable, pickRows } from "../events/event-table.ts";
import { placesBySlot } from "../logs/log-sessions.ts";
import { codeOf } from "./event-search.ts";
import { tablesOf } from "../logs/walk-tables.ts";
import type { LogSet } from "../logs/log-set.ts";
import type { EventScope } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";

/** A command as it was typed once, and how many spellings of it there were. */
export interface Spelling {
  /** The first that was met. */
  readonly example: string;
  readonly spellings: number;
}

export interface SessionCommands {
  /** Texts by code, masked. */
  readonly commands: readonly string[];
  /** `spellings[code]` */
  readonly spellings: readonly Spelling[];
  /** Sessions with a command, each its codes in order of time, equal times in input order; a repeat is not merged. */
  readonly sessions: readonly (readonly number[])[];
  /** Sensors that had one of these sessions, sorted. */
  readonly sensors: readonly string[];
  readonly firstUs: number;
  readonly lastUs: number;
}

/** Numbers commands in order of first sight, after masking. */
export class CommandCodes {
  readonly commands: string[] = [];
  readonly spellings: { readonly example: string; spellings: number }[] = [];
  readonly #byCommand = new Map<string, number>();
  readonly #byInput = new Map<string, number>();
  readonly #mask: (command: string) => string;

  constructor(mask: (command: string) => string) {
    this.#mask = mask;
  }

  codeOf(input: string): number {
    const known = this.#byInput.get(input);
    if (known !== undefined) return known;
    const command = this.#mask(input);
    let code = this.#byCommand.get(command);
    if (code === undefined) {
      code = this.commands.push(command) - 1;
      this.#byCommand.set(command, code);
      this.spellings.push({ example: input, spellings: 0 });
    }
    this.spellings[code]!.spellings++;
    this.#byInput.set(input, code);
    return code;
  }
}

/**
 * Read the command lines of all sessions; sessions of one id on different sensors are different ones.
 *
 * @param scope Its days are those of a session's first command.
 * @param mask Makes equal what is to count as one command.
 */
export async function readSessionCommands(
  set: LogSet,
  scope: EventScope = {},
  mask = (command: string) => command,
): Promise<SessionCommands> {
  const { sinceDay = -Infinity, untilDay = Infinity } = scope;
  const reader = new CommandReader(scope, mask);
  for (const place of tablesOf(set)) await place.walk(table => reader.readTable(table));

  const { us, code, sensorOf, placesOf } = reader.finish();
  const sessions: number[][] = [];
  const sensors = new Set<string>();
  let firstUs = Infinity;
  let lastUs = -Infinity;
  for (let session = 0; session < sensorOf.length; session++) {
    const places = placesOf(session);
    const beginUs = us[places[0]!]!;
    const day = dayOf(beginUs);
    if (day < sinceDay || day > untilDay) continue;
    sessions.push(Array.from(places, place => code[place]!));
    sensors.add(sensorOf[session]!);
    firstUs = Math.min(firstUs, beginUs);
    lastUs = Math.max(lastUs, us[places.at(-1)!]!);
  }
  const { commands, spellings } = reader.codes;
  return { commands, spellings, sessions, sensors: [...sensors].sort(), firstUs, lastUs };
}

const INPUT = "cowrie.command.input";

/**
 * Gathers command lines by the number of their session. Texts are looked up once per code, not once per row: they are long,
 * and few are different (measured over 1 GB of logs: a third of the time of all).
 */
class CommandReader {
  readonly codes: CommandCodes;
  readonly #pickSensor: (sensor: string) => string | undefined;
  /** Of each sensor its sessions, and the number of each. */
  readonly #sensors = new Map<string, { readonly ids: Dictionary; readonly numbers: number[] }>();
  readonly #sensorOf: string[] = [];
  /** By command line. */
  readonly #session = ints();
  readonly #code = ints();
  readonly #us = floats();

  constructor(scope: EventScope, mask: (command: string) => string) {
    this.#pickSensor = sensorPicker(scope);
    this.codes = new CommandCodes(mask);
  }

  async readTable(table: EventTable): Promise<void> {
    let inputId: number | undefined;
    const known = new Map<number, TableSensor | undefined>();
    const codes: number[] = [];
    for await (const batch of table.batches()) {
      inputId ??= codeOf(table.dictionaries.get("eventid"), INPUT);
      if (inputId < 0) break;
      const rows = rowsOf(batch.codes.get("eventid")!, inputId);
      if (rows.length > 0) this.#read(table, pickRows(batch, rows), known, codes);
    }
  }

  /**
   * Take command lines: not what was fed to a program, and of a session.
   *
   * @param known By code of the sensor; undefined where it is not wanted.
   * @param codes Code of the text in the table -> code of the command, as far as they were met.
   */
  #read({ dictionaries }: EventTable, batch: EventBatch, known: Map<number, TableSensor | undefined>, codes: number[]): void {
    const input = batch.codes.get("input");
    const session = batch.codes.get("session");
    const realm = batch.codes.get("realm");
    const sensor = batch.codes.get("sensor");
    if (input === undefined || session === undefined) return;
    const inputs = dictionaries.get("input")!;
    const sessions = dictionaries.get("session")!;
    const { timestampUs } = batch;
    for (let row = 0; row < batch.rows; row++) {
      if (input[row]! < 0 || session[row]! < 0 || (realm !== undefined && realm[row]! >= 0)) continue;
      const sensorCode = sensor === undefined ? -1 : sensor[row]!;
      if (!known.has(sensorCode)) {
        known.set(sensorCode, this.#openSensor(sensorCode < 0 ? "" : textOf(dictionaries.get("sensor")!, sensorCode), sessions));
      }
      const own = known.get(sensorCode);
      if (own === undefined) continue;
      const number = (own.numbers[session[row]!] ??= this.#numberOf(own, sessions, session[row]!));
      this.#session.push(number);
      this.#code.push((codes[input[row]!] ??= this.codes.codeOf(textOf(inputs, input[row]!))));
      this.#us.push(timestampUs[row]!);
    }
  }

  #openSensor(own: string, { size }: Texts): TableSensor | undefined {
    const name = this.#pickSensor(own);
    if (name === undefined) return undefined;
    let sensor = this.#sensors.get(name);
    if (sensor === undefined) this.#sensors.set(name, (sensor = { ids: new Dictionary(), numbers: [] }));
    return { name, all: sensor, numbers: new Array<number | undefined>(size) };
  }

  #numberOf({ name, all }: TableSensor, { arena, offsets }: Texts, code: number): number {
    const id = all.ids.intern(arena, offsets[code]!, offsets[code + 1]!);
    return (all.numbers[id] ??= this.#sensorOf.push(name) - 1);
  }

  /** By command line its time and code; by session its sensor and its command lines, in order of time, equal times in input order. */
  finish() {
    const { starts, values } = placesBySlot(this.#session, this.#sensorOf.length, this.#us.values);
    return {
      us: this.#us.values,
      code: this.#code.values,
      sensorOf: this.#sensorOf,
      placesOf: (session: number) => values.subarray(starts[session]!, starts[session + 1]!),
    };
  }
}

interface TableSensor {
  readonly name: string;
  readonly all: { readonly ids: Dictionary; readonly numbers: number[] };
  /** Number of a session by its code in the table, as far as they were met. */
  readonly numbers: (number | undefined)[];
}

function rowsOf(codes: Int32Array, code: number): Int32Array {
  const rows = new Int32Array(codes.length);
  let count = 0;
  for (let row = 0; row < codes.length; row++) if (codes[row] === code) rows[count++] = row;
  return rows.subarray(0, count);
}
