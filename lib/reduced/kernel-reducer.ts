/**
 * The rows of a log that the kernel reads, reduced in the kernel while they come: as `reduceEvents` gives them, without another
 * walk over the events.
 */
import { addressHash } from "../columns/address-sets.ts";
import { Dictionary, textOf } from "../columns/dictionary.ts";
import { keepUsedTexts, recodeInPlace } from "../columns/pick-texts.ts";
import type { BuiltEventTable } from "../events/event-table.ts";
import type { RowWatcher } from "../events/event-rows.ts";
import { NORMALIZE, NUMBER_COLUMN_NAMES, type NumberColumn, TEXT_COLUMNS, type TextColumn } from "../events/schema.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";
import type { Kernel } from "../kernel/kernel.ts";
import {
  COLUMN_EVENTID,
  COLUMN_SENSOR,
  COLUMN_SRC_IP,
  FLAG_ANY_KEY,
  FLAG_COMMAND,
  FLAG_HASHED,
  FLAG_SUCCESS,
  FLAG_VERDICT,
  KEY_NONE,
  KEY_NUMBER,
  KEY_ROBOT,
  KIND_COUNT,
  KIND_EVENT,
  KIND_KEYS_MAX,
  KIND_LAST_COMMAND,
} from "../kernel/layout.ts";
import { type KernelKind, KernelReduction, type KernelRule } from "../kernel/reduction.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KIND_SPECS, KINDS } from "./kinds.ts";
import { CODED_COLUMNS, type CodedColumn, type ReducedRows } from "./reduced-builder.ts";
import type { KindTable } from "./reduced-table.ts";

// The kernel was compiled with them; without this it would stop at the first row, and not say why.
if (KIND_NAMES.length !== KIND_COUNT || KIND_NAMES[KIND_EVENT] !== "event" || KIND_NAMES[KIND_LAST_COMMAND] !== "last_command") {
  throw new Error("Cannot reduce: lib/kernel/layout.ts and lib/reduced/kinds.ts number the kinds otherwise, expected the same, then bun run build");
}

/** A log with more rows is reduced by the plain path, whose memory is bounded by its rows alone. */
const HELD_MAX = 1 << 21;

/** Columns with a text of its own in many events that are no part of a key: every session, the hash of every recording. */
const SELDOM_USED = ["session", "shasum"] as const;

/** Of an event that counts as no kind but `event`. */
const NO_RULE = 0;

/** What more there is to the events of a kind. */
const FLAGS: Partial<Record<Kind, number>> = {
  command: FLAG_COMMAND,
  file_download: FLAG_HASHED,
  client_key: FLAG_ANY_KEY,
  scan: FLAG_VERDICT,
};

/** The rules, first that of no kind; and which of them an event id has. */
const RULES: KernelRule[] = [{ kind: -1, flags: 0, keys: Array<number>(KIND_KEYS_MAX).fill(KEY_NONE) }];
const RULE_OF = new Map<string, number>();
for (const [place, kind] of KIND_NAMES.entries()) {
  for (const id of KIND_SPECS[kind].eventids) {
    const flags = (FLAGS[kind] ?? 0) | (id === "cowrie.login.success" ? FLAG_SUCCESS : 0);
    RULE_OF.set(id, RULES.push({ kind: place, flags, keys: keySources(kind, id) }) - 1);
  }
}

/** Where the kernel finds the key columns of a kind. */
function keySources(kind: Kind, eventid: string): number[] {
  const columns: readonly KeyColumn[] = KINDS[kind];
  return Array.from({ length: KIND_KEYS_MAX }, (_, i) => {
    const column = columns[i];
    if (column === undefined) return KEY_NONE;
    if (column === "robot") return KEY_ROBOT;
    // A client is known by its version or by its HASSH, by the event that tells it; never by both at once.
    if (kind === "client" && (column === "version") !== (eventid === "cowrie.client.version")) return KEY_NONE;
    // Made of more than one event: kinds with such a key have no rule.
    if (column === "hour" || column === "line" || column === "source") return KEY_NONE;
    if (isTextKey(column)) return TEXT_COLUMNS.indexOf(column satisfies TextColumn);
    return KEY_NUMBER + NUMBER_COLUMN_NAMES.indexOf(column satisfies NumberColumn);
  });
}

const KERNEL_KINDS = KIND_NAMES.map(kind => ({ keys: KINDS[kind].length, hasAddresses: KIND_SPECS[kind].hasAddresses }));

/** To be given to `mapLog`; then its rows are there, unless the log was read without the kernel. */
export class KernelReducer implements RowWatcher {
  readonly #parameters: ReductionParameters;
  readonly #heldMax: number;
  readonly #pickSensor: (name: string) => string | undefined;
  readonly #sensors = new Dictionary();
  #reduction: KernelReduction | undefined;
  #eventids = 0;
  /** Named so far; the first stands for no sensor. */
  #sensorsNamed = -1;
  #reduced: ReturnType<KernelReduction["take"]> | undefined;

  /** @param heldMax Rows, and addresses behind rows, of which the kernel gives up. */
  constructor(parameters: ReductionParameters, heldMax = HELD_MAX) {
    this.#parameters = parameters;
    this.#heldMax = heldMax;
    this.#pickSensor = sensorPicker(parameters);
  }

  start(kernel: Kernel): void {
    const { robotMaxSeconds, sinceDay = -Infinity, untilDay = Infinity } = this.#parameters;
    this.#reduction = new KernelReduction(kernel, { robotMaxSeconds, sinceDay, untilDay, heldMax: this.#heldMax, kinds: KERNEL_KINDS, rules: RULES });
  }

  rows(kernel: Kernel): void {
    if (this.#reduction === undefined) return;
    this.#nameEventids(kernel);
    this.#nameSensors(kernel);
    // A log with too much for it is walked again, once it is read.
    if (!this.#reduction.reduce()) this.#reduction = undefined;
  }

  #nameEventids(kernel: Kernel): void {
    const count = kernel.textsOf(COLUMN_EVENTID);
    for (; this.#eventids < count; this.#eventids++) {
      const id = NORMALIZE.eventid!(textOf(kernel.textsAt(COLUMN_EVENTID), this.#eventids));
      this.#reduction!.addEventid(RULE_OF.get(id) ?? NO_RULE);
    }
  }

  #nameSensors(kernel: Kernel): void {
    const count = kernel.textsOf(COLUMN_SENSOR);
    for (; this.#sensorsNamed < count; this.#sensorsNamed++) {
      const isNone = this.#sensorsNamed < 0;
      const name = this.#pickSensor(isNone ? "" : textOf(kernel.textsAt(COLUMN_SENSOR), this.#sensorsNamed));
      this.#reduction!.addSensor(name === undefined ? -1 : this.#sensors.internText(name));
    }
  }

  end(kernel: Kernel): void {
    this.#reduced = this.#reduction?.take(code => addressHash(NORMALIZE.src_ip!(textOf(kernel.textsAt(COLUMN_SRC_IP), code))));
  }

  /**
   * The rows, which share most texts with the table; undefined if the kernel did not make them.
   *
   * @param table Of the same log.
   * @param source Identity of the log, named by its rows of `last_command`.
   */
  takeRows({ dictionaries, recodes }: BuiltEventTable, source: string): ReducedRows | undefined {
    const reduced = this.#reduced;
    if (reduced === undefined) return undefined;
    this.#reduced = undefined;
    const sources = new Dictionary();
    sources.internText(source);
    const texts = Object.fromEntries(
      CODED_COLUMNS.map(name => [name, dictionaries.get(name as TextColumn)]),
    ) as Record<CodedColumn, NonNullable<ReturnType<typeof dictionaries.get>>>;
    texts.sensor = this.#sensors;
    texts.source = sources;
    const kinds = KIND_NAMES.flatMap((kind, place): [Kind, KindTable][] => {
      const table = reduced.kinds[place]!;
      return table.rows === 0 ? [] : [[kind, toKindTable(kind, table, recodes)]];
    });
    for (const name of SELDOM_USED) {
      const columns = kinds.flatMap(([, { keys }]) => keys[name] ?? []);
      texts[name] = keepUsedTexts(texts[name], columns);
    }
    return { texts, sets: reduced.sets, kinds: Object.fromEntries(kinds) };
  }
}

/** With the codes of texts as they are after they got their one spelling. */
function toKindTable(kind: Kind, { keys, ...table }: KernelKind, recodes: BuiltEventTable["recodes"]): KindTable {
  const columns: readonly KeyColumn[] = KINDS[kind];
  const named = columns.map((column, i) => {
    const codes = keys[i]!;
    recodeInPlace(codes, recodes?.get(column as TextColumn));
    return [column, codes] as const;
  });
  return { kind, ...table, keys: Object.fromEntries(named) };
}
