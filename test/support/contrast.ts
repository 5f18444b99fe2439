/** How well the charts of a page are read: judged by the pixels, as what lies behind a label is seen nowhere else. */
import type { Page } from "playwright-core";
import { type Pixels, readPng } from "./png.ts";

/** Text that small needs so much, after WCAG 2.2 (1.4.3); larger text, lines and marks (1.4.11) need less. */
const TEXT_LEAST = 4.5;
const MARK_LEAST = 3;
/** Of a label's pixels so many may lie over something darker, such as a line of the grid. */
const SHARE_MOST = 0.08;
/** What says something by itself; areas, grid and shades stand beside numbers. */
const MARKS = "svg .series .line, svg.spark path, .interval .point, .mark-at, .session-at, .step .node, .step .ends";

interface Seen {
  readonly text: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly sizePx: number;
  readonly isBold: boolean;
  /** Red, green, blue 0..255. */
  readonly colour: readonly number[];
  readonly opacity: number;
}

type Colour = readonly number[];

/** Contrast after WCAG 2: 1 to 21. */
export function contrast(a: Colour, b: Colour): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

function luminance(colour: Colour): number {
  const [red, green, blue] = colour
    .map(value => value / 255)
    .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/**
 * Labels that are too faint for what is behind them, that lie over each other or leave their picture, and marks that
 * are too faint for the page.
 *
 * @returns One entry per fault.
 */
export async function findFaintCharts(page: Page): Promise<string[]> {
  const { texts, faults, marks } = await page.evaluate<{ texts: Seen[]; faults: string[]; marks: Seen[] }>(COLLECT);
  const shown = readPng(await page.screenshot({ fullPage: true }));
  await page.evaluate("document.adoptedStyleSheets[0].insertRule('svg.chart text { fill: transparent !important }')");
  const bare = readPng(await page.screenshot({ fullPage: true }));
  await page.evaluate("document.adoptedStyleSheets = []");
  const ground = pixelAt(bare, 1, 1);
  for (const text of texts) {
    const least = text.sizePx >= 24 || (text.isBold && text.sizePx >= 18.7) ? MARK_LEAST : TEXT_LEAST;
    const share = faintShare(shown, bare, text, least);
    if (share > SHARE_MOST) faults.push(`faint: "${text.text}", ${Math.round(100 * share)} % of it under ${least}`);
  }
  for (const mark of marks) {
    const value = contrast(blend(mark.colour, mark.opacity, ground), ground);
    if (value < MARK_LEAST) faults.push(`faint mark: ${mark.text}, ${value.toFixed(2)}`);
  }
  return [...new Set(faults)];
}

/** Share of a label's pixels whose ground is too close to the label's colour; 0 for what shows no pixel. */
function faintShare(shown: Pixels, bare: Pixels, text: Seen, least: number): number {
  let inked = 0;
  let faint = 0;
  for (let y = Math.max(0, Math.floor(text.top)); y < Math.min(text.bottom, bare.height); y++) {
    for (let x = Math.max(0, Math.floor(text.left)); x < Math.min(text.right, bare.width); x++) {
      const [on, ground] = [pixelAt(shown, x, y), pixelAt(bare, x, y)];
      if (on.every((value, i) => value === ground[i])) continue;
      inked++;
      if (contrast(blend(text.colour, text.opacity, ground), ground) < least) faint++;
    }
  }
  return inked === 0 ? 0 : faint / inked;
}

function blend(colour: Colour, opacity: number, ground: Colour): Colour {
  return colour.map((value, i) => opacity * value + (1 - opacity) * ground[i]!);
}

function pixelAt({ data, width, channels }: Pixels, x: number, y: number): Colour {
  const at = (y * width + x) * channels;
  return [data[at]!, data[at + 1]!, data[at + 2]!];
}

/** Runs in the page: hide all but the charts, and tell of every label where it is and what colour it has. */
const COLLECT = `(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".scroll table, .log, .session, .notes, .lead, .facts, .data-table { display: none !important } " +
    ".picture { overflow: visible !important }");
  document.adoptedStyleSheets = [sheet];
  for (const details of document.querySelectorAll("details")) details.open = false;
  const faults = [];
  const seen = node => {
    const style = getComputedStyle(node);
    const paint = style.fill === "none" ? style.stroke : style.fill;
    const [red, green, blue, alpha = 1] = (paint.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    let opacity = alpha * Number(style.fill === "none" ? style.strokeOpacity : style.fillOpacity);
    for (let up = node; up !== null; up = up.parentElement) opacity *= Number(getComputedStyle(up).opacity);
    const { left, top, right, bottom } = node.getBoundingClientRect();
    const isText = node.firstChild?.nodeName === "#text";
    const said = isText ? node.firstChild.data : node.localName + "." + node.getAttribute("class");
    return {
      text: said.slice(0, 60),
      left: left + scrollX, top: top + scrollY, right: right + scrollX, bottom: bottom + scrollY,
      sizePx: parseFloat(style.fontSize), isBold: Number(style.fontWeight) >= 700, colour: [red, green, blue], opacity,
    };
  };
  const texts = [];
  for (const svg of document.querySelectorAll("svg.chart")) {
    const frame = svg.getBoundingClientRect();
    if (frame.width === 0) continue;
    const scale = frame.width / svg.viewBox.baseVal.width;
    const own = [...svg.querySelectorAll("text")].map(seen).filter(text => text.right > text.left);
    for (const a of own) {
      if (a.left < frame.left + scrollX - 3 || a.right > frame.right + scrollX + 3)
        faults.push("leaves its picture: " + a.text);
      // Letters are lower than the box around them.
      const inset = 0.28 * (a.bottom - a.top);
      for (const b of own) {
        if (b === a) break;
        const isBeside = a.left + 1 >= b.right || b.left + 1 >= a.right;
        const isBelow = a.top + inset >= b.bottom - inset || b.top + inset >= a.bottom - inset;
        if (!isBeside && !isBelow) faults.push("over each other: " + a.text + " | " + b.text);
      }
    }
    texts.push(...own.map(text => ({ ...text, sizePx: text.sizePx * scale })));
  }
  return { texts, faults, marks: [...document.querySelectorAll(${JSON.stringify(MARKS)})].map(seen) };
})()`;
