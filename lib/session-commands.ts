/**
 * What was typed in each session, in order: command lines out of event tables, masked, one list of codes per session.
 */
import { DAY_US } from "./time.ts";
import { allTexts, textOf } from "./dictionary.ts";
import type { EventBatch, EventTable } from "./event-table.ts";
import { codeOf, sessionKey, tablesOf } from "./event-search.ts";
import type { LogSet } from "./log-set.ts";

export interface SessionCommandsOptions {
  /** Makes equal what is to count as one command; commands are taken as they are when omitted. */
  readonly mask?: (command: string) => string;
  readonly sensorAliases?: Readonly<Record<string, string>>;
  /** After aliases; empty = all. */
  readonly sensors: readonly string[];
  /** First and last day of a session's first command, days since 1970-01-01 UTC. */
  readonly sinceDay?: number;
  readonly untilDay?: number;
}

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

interface Typed {
  readonly us: number[];
  readonly codes: number[];
  readonly sensor: string;
}

/** Read the command lines of all sessions; sessions of one id on different sensors are different ones. */
export async function readSessionCommands(set: LogSet, options: SessionCommandsOptions): Promise<SessionCommands> {
  const { mask = (command: string) => command, sinceDay = -Infinity, untilDay = Infinity } = options;
  const aliases = new Map(Object.entries(options.sensorAliases ?? {}));
  const wanted = new Set(options.sensors);
  const codeByCommand = new Map<string, number>();
  const codeByInput = new Map<string, number>();
  const commands: string[] = [];
  const spellings: { example: string; spellings: number }[] = [];
  const bySession = new Map<string, Typed>();

  const codeOfInput = (input: string) => {
    const known = codeByInput.get(input);
    if (known !== undefined) return known;
    const command = mask(input);
    let code = codeByCommand.get(command);
    if (code === undefined) {
      code = commands.push(command) - 1;
      codeByCommand.set(command, code);
      spellings.push({ example: input, spellings: 0 });
    }
    spellings[code]!.spellings++;
    codeByInput.set(input, code);
    return code;
  };

  for (const place of tablesOf(set)) {
    await place.walk(async table => {
      let reader: TableReader | undefined;
      for await (const batch of table.batches()) {
        reader ??= new TableReader(table);
        if (reader.inputCode < 0) break;
        for (const row of reader.rowsOf(batch)) {
          const sensor = reader.text("sensor", batch, row);
          const name = aliases.get(sensor) ?? sensor;
          if (wanted.size > 0 && !wanted.has(name)) continue;
          const key = sessionKey(name, reader.text("session", batch, row));
          let typed = bySession.get(key);
          if (typed === undefined) bySession.set(key, (typed = { us: [], codes: [], sensor: name }));
          typed.us.push(batch.timestampUs[row]!);
          typed.codes.push(codeOfInput(reader.text("input", batch, row)));
        }
      }
    });
  }

  const sessions: number[][] = [];
  const sensors = new Set<string>();
  let firstUs = Infinity;
  let lastUs = -Infinity;
  for (const typed of bySession.values()) {
    sortByTime(typed);
    const day = Math.floor(typed.us[0]! / DAY_US);
    if (day < sinceDay || day > untilDay) continue;
    sessions.push(typed.codes);
    sensors.add(typed.sensor);
    firstUs = Math.min(firstUs, typed.us[0]!);
    lastUs = Math.max(lastUs, typed.us.at(-1)!);
  }
  return { commands, spellings, sessions, sensors: [...sensors].sort(), firstUs, lastUs };
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

const READ_COLUMNS = ["sensor", "session", "input"] as const;
type ReadColumn = (typeof READ_COLUMNS)[number];

/** The texts of one table, decoded when first needed. */
class TableReader {
  /** Code of the event id of a command line; -1 if the table has none. */
  readonly inputCode: number;
  readonly #table: EventTable;
  readonly #texts = new Map<ReadColumn, readonly string[]>();

  constructor(table: EventTable) {
    this.#table = table;
    this.inputCode = codeOf(table.dictionaries.get("eventid"), "cowrie.command.input");
  }

  /** Rows that are command lines: not what was fed to a program, and of a session. */
  rowsOf(batch: EventBatch): number[] {
    const eventid = batch.codes.get("eventid")!;
    const rows: number[] = [];
    let row = eventid.indexOf(this.inputCode);
    if (row < 0) return rows;
    const input = batch.codes.get("input");
    const session = batch.codes.get("session");
    const realm = batch.codes.get("realm");
    for (; row >= 0; row = eventid.indexOf(this.inputCode, row + 1)) {
      const isLine =
        (realm === undefined || realm[row]! < 0) && (input?.[row] ?? -1) >= 0 && (session?.[row] ?? -1) >= 0;
      if (isLine) rows.push(row);
    }
    return rows;
  }

  /** Text of a row, "" for none. */
  text(column: ReadColumn, batch: EventBatch, row: number): string {
    const code = batch.codes.get(column)?.[row] ?? -1;
    if (code < 0) return "";
    const texts = this.#table.dictionaries.get(column)!;
    // Most sessions type nothing: theirs are not worth decoding.
    if (column === "session") return textOf(texts, code);
    let all = this.#texts.get(column);
    if (all === undefined) this.#texts.set(column, (all = allTexts(texts)));
    return all[code]!;
  }
}
