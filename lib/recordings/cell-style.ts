/**
 * How a cell looks, as one number: sixteen colours for the letter and the ground, and a few marks.
 *
 * A terminal has sixteen million colours; a page whose style is fixed by its policy has classes. What is not one of the
 * sixteen becomes the nearest.
 */

/** The sixteen, as the pages paint them on {@link GROUND}; 0 to 7 plain, 8 to 15 bright. */
export const PALETTE: readonly number[] = [
  0x3b4252, 0xf07178, 0xa6d189, 0xe5c07b, 0x82aaff, 0xd79be8, 0x7fd6d6, 0xd8dee9, 0x8b95a7, 0xff9aa2, 0xb9e4a0, 0xf3d99a,
  0xa9c5ff, 0xe6b8f2, 0xa5e6e6, 0xffffff,
];
/** Behind everything. */
export const GROUND = 0x11161d;
/** Of letters that have no colour of their own. */
const DEFAULT_LETTER = 7;

export const BOLD = 1 << 10;
export const DIM = 1 << 11;
export const ITALIC = 1 << 12;
export const UNDERLINE = 1 << 13;
export const STRIKE = 1 << 14;

/** What is asked of a cell of the model. */
export interface StyledCell {
  isFgRGB(): boolean | number;
  isFgPalette(): boolean | number;
  getFgColor(): number;
  isBgRGB(): boolean | number;
  isBgPalette(): boolean | number;
  getBgColor(): number;
  isBold(): number;
  isDim(): number;
  isItalic(): number;
  isUnderline(): number;
  isStrikethrough(): number;
  isInverse(): number;
}

/**
 * The style of a cell: bits 0-4 the letter's colour and 5-9 the ground's, each 0 = default or 1 + index of
 * {@link PALETTE}, then the marks. 0 = nothing special.
 */
export function toStyle(cell: StyledCell): number {
  let letter = colorOf(cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor());
  let ground = colorOf(cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor());
  if (cell.isInverse()) [letter, ground] = [ground === 0 ? 1 : ground, letter === 0 ? 1 + DEFAULT_LETTER : letter];
  const dim = cell.isDim() ? DIM : 0;
  if (ground !== 0 || letter === 1) letter = readableOn(ground, letter);
  return (
    letter |
    (ground << 5) |
    (cell.isBold() ? BOLD : 0) |
    dim |
    (cell.isItalic() ? ITALIC : 0) |
    (cell.isUnderline() ? UNDERLINE : 0) |
    (cell.isStrikethrough() ? STRIKE : 0)
  );
}

/** Colours of the letter and the ground: 0 = default, else 1 + index of {@link PALETTE}. */
export function colorsOf(style: number): { letter: number; ground: number } {
  return { letter: style & 31, ground: (style >> 5) & 31 };
}

function colorOf(isRgb: boolean | number, isPalette: boolean | number, value: number): number {
  if (isRgb) return 1 + nearest(value);
  if (!isPalette) return 0;
  return 1 + (value < 16 ? value : nearest(paletteRgb(value)));
}

/** Colour 16 to 255: a cube of six steps a channel, then 24 greys. */
function paletteRgb(index: number): number {
  if (index >= 232) return (8 + 10 * (index - 232)) * 0x01_01_01;
  const step = (n: number) => (n === 0 ? 0 : 55 + 40 * n);
  const i = index - 16;
  return (step(Math.floor(i / 36)) << 16) | (step(Math.floor(i / 6) % 6) << 8) | step(i % 6);
}

/** The sixteen as terminals have them, by which the nearest is found. */
const PLAIN: readonly number[] = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
  0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];

function nearest(rgb: number): number {
  let best = 0;
  let least = Infinity;
  for (const [i, color] of PLAIN.entries()) {
    const apart = [16, 8, 0].reduce((sum, shift) => sum + (((rgb >> shift) & 255) - ((color >> shift) & 255)) ** 2, 0);
    if (apart < least) [best, least] = [i, apart];
  }
  return best;
}

/** Contrast that letters need, by WCAG 2. */
const CONTRAST_LEAST = 4.5;

/** The letter's colour where it can be read on the ground, else black or white, whichever is clearer: nothing is hidden by its colour. */
function readableOn(ground: number, letter: number): number {
  const behind = ground === 0 ? GROUND : PALETTE[ground - 1]!;
  const of = (color: number) => PALETTE[(color === 0 ? 1 + DEFAULT_LETTER : color) - 1]!;
  if (contrast(of(letter), behind) >= CONTRAST_LEAST) return letter;
  return contrast(PALETTE[15]!, behind) >= contrast(BLACK, behind) ? 16 : BLACK_LETTER;
}

const BLACK = 0x000000;
/** Code of a letter that is really black, which no colour of the palette is. */
export const BLACK_LETTER = 17;

function contrast(a: number, b: number): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function luminance(rgb: number): number {
  const [red, green, blue] = [16, 8, 0].map(shift => {
    const value = ((rgb >> shift) & 255) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
