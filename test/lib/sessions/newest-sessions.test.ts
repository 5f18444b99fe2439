import { expect, test } from "bun:test";
import { NewestSessions, toTrailLimits } from "../../../lib/sessions/newest-sessions.ts";
import { seededRandom } from "../../support/random.ts";
import { DAY_US } from "../../../lib/text/time.ts";

const LAST_DAY = 19_800;
const us = (daysBack: number, at = 0) => (LAST_DAY - daysBack) * DAY_US + at;

test("of a sensor and stretch as many as there is room for: one to five", () => {
  const perStretch = [1, 9, 10, 49, 50, 51, 1000].map(sensors => toTrailLimits(LAST_DAY, sensors).perStretch);
  expect(perStretch).toEqual([5, 5, 5, 1, 1, 1, 1]);
  expect(toTrailLimits(LAST_DAY, 25)).toEqual({ lastDay: LAST_DAY, perStretch: 2 });
});

test("a session is there once a day, with its latest time and the first address told", () => {
  const newest = new NewestSessions({ lastDay: LAST_DAY, perStretch: 1 });
  newest.add(us(0, 5), "a", "s", null);
  newest.add(us(0, 9), "a", "s", "192.0.2.1");
  newest.add(us(0, 7), "a", "s", "192.0.2.2");
  newest.add(us(1, 1), "a", "s", null);
  newest.add(us(0, 9), "b", "s", null);
  newest.add(us(0, 9), "a", "r", null);
  expect(newest.finish()).toEqual({
    sessions: [
      { us: us(0, 9), sensor: "a", session: "r", address: null },
      { us: us(0, 9), sensor: "a", session: "s", address: "192.0.2.1" },
      { us: us(0, 9), sensor: "b", session: "s", address: null },
      { us: us(1, 1), sensor: "a", session: "s", address: null },
    ],
    cut: [],
  });
});

test("the ten newest stay, and of each sensor and stretch the newest; where some were left out is told", () => {
  const newest = new NewestSessions({ lastDay: LAST_DAY, perStretch: 2 });
  for (let i = 0; i < 12; i++) newest.add(us(0, i), "a", `new${i}`, null);
  for (let i = 0; i < 3; i++) newest.add(us(7, i), "a", `old${i}`, null);
  for (let i = 0; i < 2; i++) newest.add(us(7, i), "b", `b${i}`, null);
  const { sessions, cut } = newest.finish();
  expect(sessions.map(({ session }) => session)).toEqual([
    ...Array.from({ length: 10 }, (_, i) => `new${11 - i}`),
    "old2",
    "old1",
    "b1",
    "b0",
  ]);
  expect([...cut].sort((a, b) => a.stretch - b.stretch)).toEqual([
    { sensor: "a", stretch: 0 },
    { sensor: "a", stretch: 1 },
  ]);
});

test("what is dropped on the way is what would be dropped at the end", () => {
  const [few, many] = [0, 5000].map(extra => {
    const newest = new NewestSessions({ lastDay: LAST_DAY, perStretch: 1 });
    for (let i = 0; i < extra; i++) newest.add(us(2, i), "a", `x${i}`, null);
    for (let i = 0; i < 20; i++) newest.add(us(1, i), "a", `y${i}`, null);
    newest.add(us(30), "b", "z", null);
    return newest.finish();
  });
  expect(many!.sessions).toEqual(few!.sessions);
  expect(few!.sessions.map(({ session }) => session)).toEqual([...Array.from({ length: 10 }, (_, i) => `y${19 - i}`), "z"]);
});

test("in any order the same sessions, each once", () => {
  const random = seededRandom("orders");
  for (let round = 0; round < 60; round++) {
    const events = Array.from({ length: 300 }, () => ({
      at: us(random.int(40), random.int(50)),
      sensor: `s${random.int(3)}`,
      session: `x${random.int(60)}`,
    }));
    const gather = (some: typeof events) => {
      const newest = new NewestSessions({ lastDay: LAST_DAY, perStretch: 1 + (round % 3) });
      for (const { at, sensor, session } of some) newest.add(at, sensor, session, "192.0.2.1");
      const { sessions, cut } = newest.finish();
      return { sessions, cut: cut.map(({ sensor, stretch }) => `${stretch} ${sensor}`).sort() };
    };
    const falling = events.toSorted((a, b) => b.at - a.at);
    const rising = gather(falling.toReversed());
    expect(gather(falling)).toEqual(rising);
    expect(gather(events).sessions).toEqual(rising.sessions);
  }
});
