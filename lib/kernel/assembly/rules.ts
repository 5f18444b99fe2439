/**
 * What events count as: by rules that TypeScript names for their ids, and the sensors and days that are asked for.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import { COLUMN_EVENTID, COLUMN_SENSOR, KIND_COUNT, RULE_BYTES, RULE_FLAGS, RULE_KEYS, RULE_KIND, RULES_MAX } from "../layout.ts";
import { dictionaryOf } from "./dictionaries.ts";
import { allocate, double } from "./heap.ts";

const RULES: usize = memory.data(RULES_MAX * RULE_BYTES);
let ruleCount: i32 = 0;

/** By kind: its key columns, and whether it keeps addresses. */
const KEYS: usize = memory.data(KIND_COUNT * 4);
const HAS_ADDRESSES: usize = memory.data(KIND_COUNT * 4);

/** Sessions shorter than this are robots. */
export let robotMaxSeconds: f64 = 0;
/** First and last day that count. */
export let sinceDay: f64 = -Infinity;
export let untilDay: f64 = Infinity;

/** By event id: the number of its rule; by sensor + 1, first that of no sensor: the code it counts under, -1 = not at all. */
let ruleOfId: usize = 0;
let idCapacity: u32 = 0;
let idsNamed: u32 = 0;
let sensorCodes: usize = 0;
let sensorCapacity: u32 = 0;
let sensorsNamed: u32 = 0;

const FIRST_CAPACITY: u32 = 256;

export function startRules(robotSeconds: f64, since: f64, until: f64): void {
  robotMaxSeconds = robotSeconds;
  sinceDay = since;
  untilDay = until;
  ruleCount = 0;
  idsNamed = 0;
  sensorsNamed = 0;
  idCapacity = sensorCapacity = FIRST_CAPACITY;
  ruleOfId = allocate(idCapacity * 4);
  sensorCodes = allocate(sensorCapacity * 4);
}

/** Say what columns a kind has. */
export function setColumns(kind: i32, keys: i32, keepsAddresses: bool): void {
  if (<u32>kind >= <u32>KIND_COUNT) unreachable();
  store<i32>(KEYS + (kind << 2), keys);
  store<i32>(HAS_ADDRESSES + (kind << 2), keepsAddresses);
}

@inline export function keysOf(kind: i32): i32 {
  return load<i32>(KEYS + (kind << 2));
}

@inline export function hasAddresses(kind: i32): bool {
  return load<i32>(HAS_ADDRESSES + (kind << 2)) != 0;
}

export function addRule(rule: usize): void {
  if (ruleCount == RULES_MAX) unreachable();
  memory.copy(RULES + ruleCount * RULE_BYTES, rule, RULE_BYTES);
  ruleCount++;
}

/** Name the rule of the next event id. */
export function addEventid(rule: i32): void {
  if (<u32>rule >= <u32>ruleCount) unreachable();
  if (idsNamed == idCapacity) {
    ruleOfId = double(ruleOfId, idCapacity * 4);
    idCapacity *= 2;
  }
  store<i32>(ruleOfId + (<usize>idsNamed << 2), rule);
  idsNamed++;
}

/** Name the code of the next sensor. */
export function addSensor(code: i32): void {
  if (sensorsNamed == sensorCapacity) {
    sensorCodes = double(sensorCodes, sensorCapacity * 4);
    sensorCapacity *= 2;
  }
  store<i32>(sensorCodes + (<usize>sensorsNamed << 2), code);
  sensorsNamed++;
}

/** Whether every id and sensor of the log is named. */
export function isAllNamed(): bool {
  return idsNamed == dictionaryOf(COLUMN_EVENTID).size && sensorsNamed == dictionaryOf(COLUMN_SENSOR).size + 1;
}

@inline export function ruleOf(eventid: i32): usize {
  return RULES + load<i32>(ruleOfId + (<usize>eventid << 2)) * RULE_BYTES;
}

@inline export function sensorOf(code: i32): i32 {
  return load<i32>(sensorCodes + (<usize>(code + 1) << 2));
}

@inline export function kindOfRule(rule: usize): i32 {
  return load<i32>(rule, RULE_KIND);
}

@inline export function flagsOf(rule: usize): i32 {
  return load<i32>(rule, RULE_FLAGS);
}

/** Where a key column comes from. */
@inline export function keySource(rule: usize, i: i32): i32 {
  return load<i32>(rule + <usize>(i << 2), RULE_KEYS);
}
