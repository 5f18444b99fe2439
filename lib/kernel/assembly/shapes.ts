/**
 * Shapes of lines: what stands between one value and the next, learned from the log itself.
 *
 * Cowrie writes the lines of one event with the same keys in the same order. A node is "the keys so far", an edge the bytes
 * from the end of one value to the start of the next (`,"password":"`): if a line goes on with them, one comparison of up to
 * 32 bytes stands for finding the key, looking it up and checking what is round it. Behind the event id a node branches by
 * its code, as the keys that follow go by it. Some 120 edges cover a year of logs; reading key by key instead took twice as
 * long.
 *
 * A line may be of any shape: what is not known is read key by key and learned, up to limits that keep a log of invented keys
 * from taking memory or from being searched at length.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { allocateZeroed } from "./heap.ts";
import { isEqual, maskOf } from "./vectors.ts";

/** Bytes of an edge that can be compared. */
export const EDGE_MAX_BYTES: u32 = 32;
const EDGES_MAX: u32 = 2048;
/** Edges of one node: they are tried one after the other. */
const EDGES_PER_NODE_MAX: u32 = 24;
/** Event ids that a node can branch by; lines of a later one are read key by key behind it. */
const BRANCHES_MAX: i32 = 256;

@unmanaged export class Node {
  first: usize;
  edges: u32;
  /** `branches[code of the event id]` = node, 0 = none yet; 0 = not needed yet. */
  branches: usize;
}

@unmanaged export class Edge {
  low: v128;
  high: v128;
  length: u32;
  action: i32;
  column: i32;
  key: i32;
  /** Where the quote before the key stands among the bytes. */
  keyOffset: u32;
  node: usize;
  /** The next edge of the same node. */
  next: usize;
}

/** Where lines go on whose shape is not learned; has no edges. */
const stray = changetype<Node>(memory.data(16, 16));
/** What was read of such a line. */
const strayEdge = changetype<Edge>(memory.data(64, 16));

export let root: Node = stray;
let edgeCount: u32 = 0;

/** Forget all shapes. */
export function resetShapes(): void {
  root = makeNode();
  edgeCount = 0;
}

function makeNode(): Node {
  return changetype<Node>(allocateZeroed(offsetof<Node>()));
}

/** The edge that the bytes at `at` begin with; 0 = none. */
@inline export function findEdge(node: Node, at: usize): usize {
  const bytes = v128.load(at);
  let address = node.first;
  while (address != 0) {
    const edge = changetype<Edge>(address);
    const length = edge.length;
    const mask = maskOf(min<u32>(length, 16));
    if (isEqual(v128.and(bytes, mask), edge.low)) {
      if (length <= 16) return address;
      if (isEqual(v128.and(v128.load(at, 16), maskOf(length - 16)), edge.high)) return address;
    }
    address = edge.next;
  }
  return 0;
}

/** The edge of bytes that were read key by key, learned if there is room for it. */
export function learnEdge(node: Node, bytes: usize, length: u32, keyOffset: u32, action: i32, column: i32, key: i32): usize {
  const isLearned = node != stray && length <= EDGE_MAX_BYTES && node.edges < EDGES_PER_NODE_MAX && edgeCount < EDGES_MAX;
  const edge = isLearned ? changetype<Edge>(allocateZeroed(offsetof<Edge>())) : strayEdge;
  edge.length = length;
  edge.keyOffset = keyOffset;
  edge.action = action;
  edge.column = column;
  edge.key = key;
  edge.node = changetype<usize>(stray);
  if (isLearned) {
    edgeCount++;
    memory.copy(changetype<usize>(edge), bytes, length);
    edge.node = changetype<usize>(makeNode());
    edge.next = node.first;
    node.first = changetype<usize>(edge);
    node.edges++;
  }
  return changetype<usize>(edge);
}

/** Where a node goes on for an event id. */
export function branchOf(node: Node, eventid: i32): Node {
  if (node == stray || eventid >= BRANCHES_MAX) return stray;
  if (node.branches == 0) node.branches = allocateZeroed(BRANCHES_MAX * 4);
  const at = node.branches + (<usize>eventid << 2);
  if (load<u32>(at) == 0) store<u32>(at, <u32>changetype<usize>(makeNode()));
  return changetype<Node>(load<u32>(at));
}
