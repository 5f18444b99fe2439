/**
 * The view in the address, so that it can be kept and sent: an anchor, then what each part of the page has chosen. A
 * fragment is anyone's text: what it does not name rightly is left out by those who read it.
 */

export function readAddress() {
  const words = location.hash.slice(1).split("&");
  return {
    anchor: words.find(word => word !== "" && !word.includes("=")),
    state: new URLSearchParams(words.filter(word => word.includes("=")).join("&")),
  };
}

/**
 * Put what a part has chosen in place of what it had.
 *
 * @param {Readonly<Record<string, string | undefined>>} choices undefined: left out.
 */
export function writeAddress(choices, anchor = readAddress().anchor) {
  const { state } = readAddress();
  for (const name of Object.keys(choices)) state.delete(name);
  for (const [name, value] of Object.entries(choices)) if (value !== undefined) state.set(name, value);
  const fragment = [anchor, state.toString()].filter(Boolean).join("&");
  history.replaceState(null, "", fragment === "" ? location.pathname + location.search : `#${fragment}`);
}
