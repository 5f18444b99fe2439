/**
 * What exports and databases are checked against: schemas and test databases of others, which are not part of this project.
 *
 * `COWRIE_FORMATS` names the folder; unset, it is `../shared/data/formats` beside the checkout.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ROOT } from "./run.ts";

const wanted = resolve(ROOT, Bun.env.COWRIE_FORMATS ?? "../shared/data/formats");

/** The folder, undefined where it is absent. */
export const FORMATS = existsSync(wanted) ? wanted : undefined;

/** For the names of tests that need it. */
export const NEEDS_FORMATS = FORMATS ? "" : " (skipped: no schemas and databases of others; set COWRIE_FORMATS)";
