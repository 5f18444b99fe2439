/**
 * The column `extra`: the keys of an event that have no column of their own, as the JSON text of one object.
 *
 * Whatever stands in there was written by somebody else, so every value is taken as what it is asked for, or not at all.
 */

/** The keys of an event by name; none where it has no such text. */
export class Extra {
  readonly all: ReadonlyMap<string, unknown>;

  /** @param json A table that somebody else wrote may hold any text: what is no object is one key, `extra`. */
  constructor(json: string | undefined) {
    this.all = parse(json);
  }

  text(key: string): string | undefined {
    const value = this.all.get(key);
    return typeof value === "string" ? value : undefined;
  }

  number(key: string): number | undefined {
    const value = this.all.get(key);
    return typeof value === "number" ? value : undefined;
  }

  /** The value in words: a text as it is, anything else as JSON; undefined where there is none, or null. */
  shown(key: string): string | undefined {
    const value = this.all.get(key) ?? undefined;
    return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
  }
}

function parse(json: string | undefined): Map<string, unknown> {
  if (json === undefined) return new Map();
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  } catch {
    // Told below as what it is.
  }
  return new Map([["extra", json]]);
}
