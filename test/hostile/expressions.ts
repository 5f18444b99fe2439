/**
 * Regular expressions as a backtracking engine sees them: found in the source, taken apart, and run step by step, so
 * that a test can count what a text costs instead of timing it.
 *
 * The engine is the plain one, without what a real one saves by looking ahead: it counts at least as many steps.
 */

/** An expression as it is written in a source. */
export interface Written {
  readonly source: string;
  readonly flags: string;
  readonly line: number;
}

const MAY_PRECEDE = /^(?:[(,=:[!&|?{};+\-*%<>~^]|=>|return|typeof|case|in|of|await|yield|else|do|void)$/;

/** All literals of a source of JavaScript or TypeScript, in their order; a small lexer that knows strings and templates. */
export function findLiterals(text: string): Written[] {
  const found: Written[] = [];
  const braces: ("block" | "template")[] = [];
  let before = "";
  let i = 0;
  const mayPrecede = () => before === "" || MAY_PRECEDE.test(before);
  const skipTemplate = () => {
    for (; i < text.length; i++) {
      if (text[i] === "\\") i++;
      else if (text[i] === "`") {
        i++;
        before = "`";
        return;
      } else if (text[i] === "$" && text[i + 1] === "{") {
        i += 2;
        braces.push("template");
        before = "{";
        return;
      }
    }
  };
  while (i < text.length) {
    const unit = text[i]!;
    if (/\s/.test(unit)) i++;
    else if (text.startsWith("//", i)) i = (text.indexOf("\n", i) + 1 || text.length + 1) - 1;
    else if (text.startsWith("/*", i)) i = text.indexOf("*/", i) + 2;
    else if (unit === '"' || unit === "'") {
      for (i++; text[i] !== unit; i++) if (text[i] === "\\") i++;
      i++;
      before = "text";
    } else if (unit === "`") {
      i++;
      skipTemplate();
    } else if (unit === "{") {
      braces.push("block");
      before = unit;
      i++;
    } else if (unit === "}") {
      i++;
      if (braces.pop() === "template") skipTemplate();
      else before = unit;
    } else if (unit === "/" && mayPrecede()) {
      const start = ++i;
      for (let isClass = false; isClass || text[i] !== "/"; i++) {
        if (text[i] === "\n" || i >= text.length) throw new SyntaxError(`no end: ${text.slice(start, start + 60)}`);
        if (text[i] === "\\") i++;
        else if (text[i] === "[") isClass = true;
        else if (text[i] === "]") isClass = false;
      }
      const source = text.slice(start, i++);
      const flags = /^[a-z]*/.exec(text.slice(i, i + 9))![0];
      i += flags.length;
      before = "literal";
      found.push({ source, flags, line: text.slice(0, start).split("\n").length });
    } else {
      const word = /^(?:[\w$]+|=>)/.exec(text.slice(i, i + 99))?.[0] ?? unit;
      i += word.length;
      // Behind a value it only tells the compiler that there is one.
      if (word !== "!" || mayPrecede()) before = word;
    }
  }
  return found;
}

type Node =
  | { readonly type: "unit"; readonly source: string }
  | { readonly type: "edge"; readonly source: string }
  | { readonly type: "list" | "either"; readonly parts: readonly Node[] }
  | { readonly type: "repeat"; readonly part: Node; readonly least: number; readonly most: number; readonly lazy: boolean }
  | { readonly type: "look"; readonly part: Node; readonly isBehind: boolean; readonly isNot: boolean };

/** @throws {SyntaxError} at what it does not know, references to groups among it. */
function parse(source: string): Node {
  let i = 0;
  const take = (pattern: RegExp) => {
    const match = new RegExp(pattern, "suy".includes(pattern.flags) ? "suy" : "sy");
    match.lastIndex = i;
    const groups = match.exec(source);
    if (groups !== null) i += groups[0].length;
    return groups;
  };
  const either = (): Node => {
    const parts = [list()];
    while (take(/\|/) !== null) parts.push(list());
    return parts.length === 1 ? parts[0]! : { type: "either", parts };
  };
  const list = (): Node => {
    const parts: Node[] = [];
    while (i < source.length && source[i] !== "|" && source[i] !== ")") parts.push(repeat());
    return { type: "list", parts };
  };
  const repeat = (): Node => {
    const part = atom();
    const groups = take(/(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/);
    if (groups === null) return part;
    const [, sign, low, comma, high, lazy] = groups;
    const least = sign === undefined ? Number(low) : sign === "+" ? 1 : 0;
    const most =
      sign === "?" ? 1 : sign !== undefined ? Infinity : comma === "" ? least : high === "" ? Infinity : Number(high);
    return { type: "repeat", part, least, most, lazy: lazy === "?" };
  };
  const atom = (): Node => {
    const opened = take(/\((?:\?(:|=|!|<=|<!|<\w+>))?/);
    if (opened !== null) {
      const part = either();
      if (take(/\)/) === null) throw new SyntaxError(`no ")" in ${source}`);
      const kind = opened[1] ?? ":";
      if (!/[=!]/.test(kind)) return part;
      return { type: "look", part, isBehind: kind.startsWith("<"), isNot: kind.endsWith("!") };
    }
    const edge = take(/[\^$]|\\[bB]/);
    if (edge !== null) return { type: "edge", source: edge[0] };
    const unit =
      take(/\[(?:\\.|[^\]\\])*\]/) ?? take(/\\(?:u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[pP]\{[^}]*\}|[^1-9k])/) ??
      take(/[\ud800-\udbff][\udc00-\udfff]|[^\\()]/);
    if (unit === null) throw new SyntaxError(`unknown at ${i}: ${source.slice(i, i + 20)} in ${source}`);
    return { type: "unit", source: unit[0] };
  };
  const whole = either();
  if (i < source.length) throw new SyntaxError(`unknown at ${i}: ${source.slice(i, i + 20)} in ${source}`);
  return whole;
}

/** Of a code unit, or a code point with flag u. */
type Test = (code: number) => boolean;
type Step =
  | { readonly do: "unit"; readonly test: Test }
  | { readonly do: "edge"; readonly source: string }
  | { readonly do: "split"; first: number; second: number }
  | { readonly do: "jump"; to: number }
  | { readonly do: "enter"; readonly slot: number }
  | { readonly do: "moved"; readonly slot: number }
  | { readonly do: "look"; readonly program: Step[]; readonly isBehind: boolean; readonly isNot: boolean }
  | { readonly do: "done" };

/** Thrown where a text costs more steps than were allowed. */
export class TooManySteps extends Error {}

/** One expression, ready to be counted and to be attacked. */
export class Expression {
  readonly source: string;
  readonly flags: string;
  /** Largest bound of its repetitions: texts shorter than that cannot tell linear from more. */
  readonly largestBound: number;
  readonly #tree: Node;
  readonly #program: Step[];
  readonly #tests = new Map<string, Test>();
  #slots = 0;
  #isUnicode: boolean;

  constructor(source: string, flags: string) {
    this.source = source;
    this.flags = flags;
    this.#isUnicode = /[uv]/.test(flags);
    this.#tree = parse(source);
    this.largestBound = largestBound(this.#tree);
    this.#program = this.#compile(this.#tree, false);
  }

  /** Does one code unit (with flag u: one code point) match this class, escape or character? */
  #testOf(source: string): Test {
    let test = this.#tests.get(source);
    if (test === undefined) {
      const whole = new RegExp(`^(?:${source})$`, this.flags.replace(/[gym]/g, ""));
      // 0 not asked yet, 1 yes, 2 no; the rest of Unicode is seldom met.
      const known = new Uint8Array(0x3000);
      const ask = (code: number) => whole.test(String.fromCodePoint(code));
      test = code => {
        if (code >= known.length) return ask(code);
        if (known[code] === 0) known[code] = ask(code) ? 1 : 2;
        return known[code] === 1;
      };
      this.#tests.set(source, test);
    }
    return test;
  }

  #compile(tree: Node, isBehind: boolean): Step[] {
    const steps: Step[] = [];
    const add = (node: Node): void => {
      switch (node.type) {
        case "unit":
          steps.push({ do: "unit", test: this.#testOf(node.source) });
          return;
        case "edge":
          steps.push({ do: "edge", source: node.source });
          return;
        case "list":
          for (const part of isBehind ? node.parts.toReversed() : node.parts) add(part);
          return;
        case "look":
          steps.push({ do: "look", program: this.#compile(node.part, node.isBehind), isBehind: node.isBehind, isNot: node.isNot });
          return;
        case "either": {
          const jumps: { to: number }[] = [];
          node.parts.forEach((part, i) => {
            if (i === node.parts.length - 1) return add(part);
            const split = { do: "split" as const, first: steps.length + 1, second: 0 };
            steps.push(split);
            add(part);
            const jump = { do: "jump" as const, to: 0 };
            steps.push(jump);
            jumps.push(jump);
            split.second = steps.length;
          });
          for (const jump of jumps) jump.to = steps.length;
          return;
        }
        case "repeat": {
          const { part, least, most, lazy } = node;
          for (let i = 0; i < least; i++) add(part);
          const splits: { first: number; second: number }[] = [];
          const open = () => {
            const split = { do: "split" as const, first: steps.length + 1, second: steps.length + 1 };
            steps.push(split);
            splits.push(split);
          };
          if (most === Infinity) {
            const start = steps.length;
            open();
            const slot = this.#slots++;
            steps.push({ do: "enter", slot });
            add(part);
            steps.push({ do: "moved", slot }, { do: "jump", to: start });
          } else {
            for (let i = least; i < most; i++) {
              open();
              add(part);
            }
          }
          for (const split of splits) split[lazy ? "first" : "second"] = steps.length;
        }
      }
    };
    add(tree);
    steps.push({ do: "done" });
    return steps;
  }

  /**
   * Search a text as `replace` and `matchAll` do with flag g, and as `exec` does without.
   *
   * @returns Every match as start and end, and the steps it took.
   * @throws {TooManySteps}
   */
  search(text: string, mostSteps: number): { matches: [number, number][]; steps: number } {
    const isMultiline = this.flags.includes("m");
    const isWord = (at: number) => at >= 0 && at < text.length && /\w/.test(text[at]!);
    const isUnicode = this.#isUnicode;
    const slots = new Int32Array(this.#slots);
    let steps = 0;

    const run = (program: Step[], start: number, isBehind: boolean): number => {
      // Where to go on when this way fails: step and position; a restored slot is a step below zero.
      const back: number[] = [];
      let pc = 0;
      let at = start;
      for (;;) {
        if (++steps > mostSteps) throw new TooManySteps(`${mostSteps} steps`);
        const step = program[pc]!;
        let ok = true;
        switch (step.do) {
          case "done":
            return at;
          case "unit": {
            let size = 1;
            if (isUnicode) {
              const low = text.charCodeAt(isBehind ? at - 1 : at + 1);
              const high = text.charCodeAt(isBehind ? at - 2 : at);
              if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000) size = 2;
            }
            const from = isBehind ? at - size : at;
            ok = from >= 0 && from < text.length && step.test(size === 2 ? text.codePointAt(from)! : text.charCodeAt(from));
            at = isBehind ? from : at + size;
            pc++;
            break;
          }
          case "edge":
            if (step.source === "^") ok = at === 0 || (isMultiline && text[at - 1] === "\n");
            else if (step.source === "$") ok = at === text.length || (isMultiline && text[at] === "\n");
            else ok = (isWord(at - 1) !== isWord(at)) === (step.source === "\\b");
            pc++;
            break;
          case "split":
            back.push(step.second, at);
            pc = step.first;
            break;
          case "jump":
            pc = step.to;
            break;
          case "enter":
            back.push(-1 - step.slot, slots[step.slot]!);
            slots[step.slot] = at;
            pc++;
            break;
          case "moved":
            ok = slots[step.slot] !== at;
            pc++;
            break;
          case "look":
            ok = run(step.program, at, step.isBehind) >= 0 !== step.isNot;
            pc++;
        }
        if (ok) continue;
        for (;;) {
          if (back.length === 0) return -1;
          at = back.pop()!;
          pc = back.pop()!;
          if (pc >= 0) break;
          slots[-1 - pc] = at;
        }
      }
    };

    const matches: [number, number][] = [];
    for (let start = 0; start <= text.length;) {
      // An expression that begins with "^" fails at once anywhere else; engines know.
      const end = run(this.#program, start, false);
      if (end < 0) {
        start += isUnicode && text.codePointAt(start)! > 0xffff ? 2 : 1;
        continue;
      }
      matches.push([start, end]);
      if (!this.flags.includes("g")) break;
      start = end > start ? end : end + 1;
    }
    return { matches, steps };
  }

  /**
   * Texts made to be hard for this expression: what its parts match, repeated, one after another, with a beginning that
   * leads to them and an end that fails.
   */
  attacks(): Attack[] {
    const samples = new Set<string>();
    const beginnings = new Set<string>();
    const sampleOf = (node: Node, turn: number): string => {
      switch (node.type) {
        case "unit":
          return this.#sampleUnit(node.source, turn);
        case "edge":
          return node.source === "\\b" ? " " : "";
        case "list":
          return node.parts.map(part => sampleOf(part, turn)).join("");
        case "either":
          return sampleOf(node.parts[turn % node.parts.length]!, turn);
        case "repeat":
          return sampleOf(node.part, turn).repeat(Math.min(Math.max(node.least, 1), 40));
        case "look":
          return node.isNot ? "" : sampleOf(node.part, turn);
      }
    };
    const visit = (node: Node, before: string): void => {
      for (const turn of [0, 1, 2]) {
        const sample = sampleOf(node, turn);
        if (sample !== "" && sample.length <= LONGEST_PUMP) samples.add(sample);
      }
      // Between two plain characters nothing new begins.
      if (node.type !== "unit" && before.length <= LONGEST_PUMP) beginnings.add(before);
      if (node.type === "list") {
        let led = before;
        for (const part of node.parts) {
          visit(part, led);
          led += sampleOf(part, 0);
        }
      } else if (node.type === "either") for (const part of node.parts) visit(part, before);
      else if (node.type === "repeat" || node.type === "look") visit(node.part, before);
    };
    visit(this.#tree, "");
    // Where the expression has got to so far is as good a thing to repeat as any of its parts.
    for (const beginning of beginnings) if (beginning !== "") samples.add(beginning);
    const sorted = [...samples].sort((a, b) => a.length - b.length);
    const pumps = [...new Set([...sorted.slice(0, 10), ...sorted.slice(-6)])];
    const attacks: Attack[] = [];
    for (const beginning of [...beginnings].slice(0, 10)) {
      for (const pump of pumps) for (const end of ["\0", " x"]) attacks.push({ beginning, pumps: [pump], end });
    }
    for (const first of pumps.slice(0, 9)) {
      for (const second of pumps.slice(0, 9)) {
        if (first === second) continue;
        attacks.push({ beginning: "", pumps: [first + second], end: "\0" });
        // Where one part hands over to the next.
        attacks.push({ beginning: "", pumps: [first, second], end: "\0" });
      }
    }
    return attacks;
  }

  #sampleUnit(source: string, turn: number): string {
    const test = this.#testOf(source);
    const wanted = ["aA0 \\x/=<'\"-.:\t\n\u00ad\u0301😀", "0fZ.:_;@\t'\u0301\u200b中", "\n\\>;1"][turn]!;
    for (const unit of this.#isUnicode ? [...wanted] : wanted.split("")) if (test(unit.codePointAt(0)!)) return unit;
    for (let code = 0; code < 0x10000; code++) if (test(code)) return String.fromCharCode(code);
    return "";
  }
}

/** A text that grows by repeating its pumps, each in one run. */
export interface Attack {
  readonly beginning: string;
  readonly pumps: readonly string[];
  readonly end: string;
}

/** Parts of a text of an attack are no longer than that. */
const LONGEST_PUMP = 120;

/** The text of an attack, `length` long or little more. */
export function buildAttack({ beginning, pumps, end }: Attack, length: number): string {
  const each = (length - beginning.length) / pumps.length;
  return beginning + pumps.map(pump => pump.repeat(Math.ceil(each / pump.length))).join("") + end;
}

function largestBound(node: Node): number {
  switch (node.type) {
    case "unit":
    case "edge":
      return 1;
    case "list":
      return node.parts.reduce((sum, part) => Math.max(sum, largestBound(part)), 1);
    case "either":
      return Math.max(...node.parts.map(largestBound));
    case "repeat":
      return largestBound(node.part) * Math.max(node.least, Number.isFinite(node.most) ? node.most : 1, 1);
    case "look":
      return largestBound(node.part);
  }
}
