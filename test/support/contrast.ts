/** How well the charts of a page are read: judged by the pixels, as what lies behind a label is seen nowhere else. */
import type { Page } from "playwright-core";

/** Text that small needs so much, after WCAG 2.2 (1.4.3); larger text, lines and marks (1.4.11) need less. */
const TEXT_LEAST = 4.5;
const MARK_LEAST = 3;
/** Of a label's pixels so many may lie over something darker, such as a line of the grid. */
const SHARE_MOST = 0.08;
/** What says something by itself; areas, grid and shades stand beside numbers. */
const MARKS = "svg .series .line, svg.spark path, .interval .point, .mark-at, .session-at, .step .node, .step .ends";

/**
 * Labels that are too faint for what is behind them, that lie over each other or leave their picture, and marks that
 * are too faint for the page.
 *
 * @param isByPixel False: only where labels lie, which takes a twentieth of the time.
 * @returns One entry per fault.
 */
export async function findFaintCharts(page: Page, isByPixel = true): Promise<string[]> {
  const seen = await page.evaluate<{ faults: string[] }>(COLLECT);
  if (!isByPixel) {
    await page.evaluate("document.adoptedStyleSheets = []");
    return [...new Set(seen.faults)];
  }
  const client = await page.context().newCDPSession(page);
  // Not `page.screenshot`: packing a picture well takes most of its time, and nobody keeps these.
  const shoot = async () =>
    (await client.send("Page.captureScreenshot", { captureBeyondViewport: true, optimizeForSpeed: true })).data;
  const shown = await shoot();
  await page.evaluate("document.adoptedStyleSheets[0].insertRule('svg.chart text { fill: transparent !important }')");
  const bare = await shoot();
  await page.evaluate("document.adoptedStyleSheets = []");
  await client.detach();
  // A page without a policy; the browser decodes pictures ten times as fast as we would.
  const desk = await page.context().newPage();
  const pictures = [shown, bare];
  const faint = await desk.evaluate<string[]>(`(${JUDGE})(${JSON.stringify(pictures)}, ${JSON.stringify(seen)})`);
  await desk.close();
  return [...new Set([...seen.faults, ...faint])];
}

/** Runs in an empty page: every pixel that differs between the pictures is ink, what the second shows is its ground. */
const JUDGE = `async ([shown, bare], { texts, marks }) => {
  const read = async picture => {
    const bytes = Uint8Array.from(atob(picture), character => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const { width, height } = bitmap;
    const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    canvas.drawImage(bitmap, 0, 0);
    const { data } = canvas.getImageData(0, 0, width, height);
    return { width, height, at: (x, y) => data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3) };
  };
  const [on, ground] = [await read(shown), await read(bare)];
  const luminance = colour => {
    const [red, green, blue] = [...colour].map(value => value / 255)
      .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = ({ colour, opacity }, behind) => {
    const [low, high] = [colour.map((value, i) => opacity * value + (1 - opacity) * behind[i]), behind]
      .map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const faults = [];
  for (const text of texts) {
    const isLarge = text.sizePx >= 24 || (text.isBold && text.sizePx >= 18.7);
    const least = isLarge ? ${MARK_LEAST} : ${TEXT_LEAST};
    const known = new Map();
    let inked = 0;
    let faint = 0;
    for (let y = Math.max(0, Math.floor(text.top)); y < Math.min(text.bottom, ground.height); y++) {
      for (let x = Math.max(0, Math.floor(text.left)); x < Math.min(text.right, ground.width); x++) {
        const behind = ground.at(x, y);
        const ink = on.at(x, y);
        if (ink[0] === behind[0] && ink[1] === behind[1] && ink[2] === behind[2]) continue;
        const key = behind[0] * 65536 + behind[1] * 256 + behind[2];
        if (!known.has(key)) known.set(key, contrast(text, behind) < least);
        inked++;
        if (known.get(key)) faint++;
      }
    }
    if (faint > ${SHARE_MOST} * inked)
      faults.push("faint: " + text.text + ", " + Math.round(100 * faint / inked) + " % of it under " + least);
  }
  for (const mark of marks) {
    const value = contrast(mark, ground.at(1, 1));
    if (value < ${MARK_LEAST}) faults.push("faint mark: " + mark.text + ", " + value.toFixed(2));
  }
  return faults;
}`;

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
