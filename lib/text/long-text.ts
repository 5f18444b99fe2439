/** Attacker text of any length for a page: visible, cut where nobody reads on, folded where it is long. */
import { formatNumber } from "./format.ts";
import { quoteEdges } from "./labels.ts";
import { ellipsize, visible } from "./text.ts";

/** Characters that are shown when a text is unfolded. */
const TEXT_MOST = 20_000;
/** Longer texts are folded to this. */
const TEXT_FOLDED = 240;

export interface LongText {
  /** Quoted where nobody would see where it ends; says how much was cut. Not escaped for HTML. */
  readonly text: string;
  readonly isLong: boolean;
  /** What is shown while it is folded. */
  readonly head: string;
}

/** Prepare a text for a page. */
export function toLongText(text: string): LongText {
  const cut = text.slice(0, TEXT_MOST);
  const note = cut === text ? "" : ` … (${formatNumber(text.length - cut.length)} more characters)`;
  const shown = `${visible(cut.toWellFormed())}${note}`;
  const whole = quoteEdges(shown);
  return {
    text: whole,
    isLong: whole.length > TEXT_FOLDED,
    head: ellipsize(whole.slice(0, 4 * TEXT_FOLDED), TEXT_FOLDED),
  };
}
