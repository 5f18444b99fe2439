/**
 * What was typed in each session, in order: command lines out of event tables, masked, one list of codes per session.
 */
import { dayOf } from "../text/time.ts";
import { textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import { codeOf, sessionKey } from "./event-search.ts";
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

/** What was typed in a session: when and, by code, what. */
export interface Typed {
  readonly us: number[];
  readonly codes: number[];
  readonly sensor: string;
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
  const pickSensor = sensorPicker(scope);
  const codes = new CommandCodes(mask);
  const bySession = new Map<string, Typed>();

  const sessionOf = (sensor: string, session: string): Typed | undefined => {
    const name = pickSensor(sensor);
    if (name === undefined) return undefined;
    const key = sessionKey(name, session);
    let typed = bySession.get(key);
    if (typed === undefined) bySession.set(key, (typed = { us: [], codes: [], sensor: name }));
    return typed;
  };

  for (const place of tablesOf(set)) {
    await place.walk(table => readCommands(table, sessionOf, codes));
  }

  const sessions: number[][] = [];
  const sensors = new Set<string>();
  let firstUs = Infinity;
  let lastUs = -Infinity;
  for (const typed of bySession.values()) {
    sortByTime(typed);
    const day = dayOf(typed.us[0]!);
    if (day < sinceDay || day > untilDay) continue;
    sessions.push(typed.codes);
    sensors.add(typed.sensor);
    firstUs = Math.min(firstUs, typed.us[0]!);
    lastUs = Math.max(lastUs, typed.us.at(-1)!);
  }
  const { commands, spellings } = codes;
  return { commands, spellings, sessions, sensors: [...sensors].sort(), firstUs, lastUs };
}

/**
 * Add the command lines of a table to their sessions.
 *
 * @param sessionOf The session of a sensor and an id, called once for each; undefined where it is not wanted.
 */
async function readCommands(
  table: EventTable,
  sessionOf: (sensor: string, session: string) => Typed | undefined,
  codes: CommandCodes,
): Promise<void> {
  let reader: TableReader | undefined;
  for await (const batch of table.batches()) {
    reader ??= new TableReader(table, sessionOf, codes);
    if (!reader.hasCommands) break;
    reader.read(batch);
  }
}

/** Nearly all sessions come in order; those that do not are put so, equal times staying as they came. */
function sortByTime({ us, codes }: Typed): void {
  if (us.every((time, i) => i === 0 || us[i - 1]! <= time)) return;
  const order = us.map((_, i) => i).sort((a, b) => us[a]! - us[b]! || a - b);
  const [times, sorted] = [order.map(i => us[i]!), order.map(i => codes[i]!)];
  order.forEach((_, i) => {
    us[i] = times[i]!;
    codes[i] = sorted[i]!;
  });
}

/**
 * Command lines of one table. Texts are looked up once per code, not once per row: they are long, and few are
 * different (measured over 1 GB of logs: a third of the time of all).
 */
class TableReader {
  readonly #inputId: number;
  readonly #table: EventTable;
  readonly #sessionOf: (sensor: string, session: string) => Typed | undefined;
  readonly #commands: CommandCodes;
  /** By code of the sensor and code of the session; undefined where the sensor is not wanted. */
  readonly #sessions = new Map<number, Typed | undefined>();
  /** `#codes[code in the table]` = code of the command, -1 where it was not met yet. */
  readonly #codes: Int32Array;

  constructor(
    table: EventTable,
    sessionOf: (sensor: string, session: string) => Typed | undefined,
    commands: CommandCodes,
  ) {
    this.#table = table;
    this.#sessionOf = sessionOf;
    this.#commands = commands;
    this.#inputId = codeOf(table.dictionaries.get("eventid"), "cowrie.command.input");
    this.#codes = new Int32Array(table.dictionaries.get("input")?.size ?? 0).fill(-1);
  }

  get hasCommands(): boolean {
    return this.#inputId >= 0;
  }

  /** Take the rows that are command lines: not what was fed to a program, and of a session. */
  read(batch: EventBatch): void {
    const eventid = batch.codes.get("eventid")!;
    let row = eventid.indexOf(this.#inputId);
    if (row < 0) return;
    const input = batch.codes.get("input");
    const session = batch.codes.get("session");
    const realm = batch.codes.get("realm");
    const sensor = batch.codes.get("sensor");
    if (input === undefined || session === undefined) return;
    const { dictionaries } = this.#table;
    const inputs = dictionaries.get("input")!;
    const sessions = dictionaries.get("session")!;
    for (; row >= 0; row = eventid.indexOf(this.#inputId, row + 1)) {
      if (input[row]! < 0 || session[row]! < 0 || (realm !== undefined && realm[row]! >= 0)) continue;
      const sensorCode = sensor === undefined ? -1 : sensor[row]!;
      const key = (sensorCode + 1) * sessions.size + session[row]!;
      let typed = this.#sessions.get(key);
      if (typed === undefined && !this.#sessions.has(key)) {
        const name = sensorCode < 0 ? "" : textOf(dictionaries.get("sensor")!, sensorCode);
        typed = this.#sessionOf(name, textOf(sessions, session[row]!));
        this.#sessions.set(key, typed);
      }
      if (typed === undefined) continue;
      let code = this.#codes[input[row]!]!;
      if (code < 0) this.#codes[input[row]!] = code = this.#commands.codeOf(textOf(inputs, input[row]!));
      typed.us.push(batch.timestampUs[row]!);
      typed.codes.push(code);
    }
  }
}
