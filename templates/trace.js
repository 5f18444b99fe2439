/** The script of `trace.html`, there only where it has recordings: plays them. The page is complete without it. */
import { drawScreenRow, packedFrameAt, screenAt } from "../lib/view/packed-recording.ts";
import { find, findAll, toNode } from "./page.js";

/** @typedef {import("../lib/view/packed-recording.ts").PackedRecording} PackedRecording */

/** @type {readonly PackedRecording[]} */
const recordings = JSON.parse(find("#data").textContent);

for (const figure of findAll(".recording")) {
  const recording = recordings[Number(figure.dataset.recording)];
  const player = find(".player", figure);
  if (recording !== undefined && player !== null) startPlayer(recording, figure, player);
}

/** `1:05` @param {number} ms */
function toClock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * @param {PackedRecording} recording
 * @param {HTMLElement} figure
 * @param {HTMLElement} player
 */
function startPlayer(recording, figure, player) {
  const endMs = recording.frames[recording.frames.length - 1][0];
  const screen = find(".screen", figure);
  const button = find("button", player);
  const range = /** @type {HTMLInputElement} */ (find("input", player));
  const clock = find("output", player);
  const speed = /** @type {HTMLSelectElement} */ (find("select", player));
  let ms = endMs;
  let shown = -1;
  /** When the page was last painted; undefined while nothing plays. @type {number | undefined} */
  let paintedMs;

  function draw() {
    const index = packedFrameAt(recording, ms);
    range.value = String(Math.round(ms));
    clock.textContent = `${toClock(ms)} of ${toClock(endMs)}`;
    range.setAttribute("aria-valuetext", clock.textContent);
    if (index === shown) return;
    shown = index;
    screen.replaceChildren(...Array.from(screenAt(recording, index), number => toNode(drawScreenRow(recording.texts[number]))));
  }

  /** @param {number} nowMs */
  function tick(nowMs) {
    if (paintedMs === undefined) return;
    ms = Math.min(endMs, ms + (nowMs - paintedMs) * Number(speed.value));
    paintedMs = nowMs;
    draw();
    if (ms < endMs) requestAnimationFrame(tick);
    else stop();
  }

  function stop() {
    paintedMs = undefined;
    button.textContent = ms >= endMs ? "Play" : "Go on";
  }

  button.addEventListener("click", () => {
    if (paintedMs !== undefined) return stop();
    if (ms >= endMs) ms = 0;
    button.textContent = "Pause";
    paintedMs = performance.now();
    requestAnimationFrame(tick);
  });
  range.addEventListener("input", () => {
    ms = Number(range.value);
    if (paintedMs === undefined) stop();
    draw();
  });
  range.max = String(endMs);
  player.hidden = false;
  draw();
}
