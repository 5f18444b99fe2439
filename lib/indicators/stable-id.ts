/**
 * Ids that are the same whenever the same thing is said, so that importing it again adds nothing.
 *
 * Tested in `test/lib/indicators/stix.test.ts`.
 */

/** Of all that this program names; made once, by chance. */
const NAMESPACE = "5b0f3d4e-6a52-4f0d-9d7c-2f1e8f6b9a31";
/** Of STIX's observables, whose ids everybody makes alike (STIX 2.1, section 2.9). */
export const STIX_OBSERVABLES = "00abedb4-aa42-466c-9c01-fed23315a9b7";

/** A UUID of version 5 of a name. */
export function stableId(name: string, namespace = NAMESPACE): string {
  return Bun.randomUUIDv5(name, namespace);
}

/** TLP: to whom it may be passed on. */
export const TLP = ["clear", "green", "amber", "red"] as const;
export type Tlp = (typeof TLP)[number];

/** What is said of an export as such. */
export interface Attribution {
  readonly tlp: Tlp;
  /** Who says so. */
  readonly org: string;
}
