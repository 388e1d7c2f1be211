// Writes a small application for Node, runs it, and prints labelled traces of it, as shop.py does:
// `node shop.mjs FOLDER SEED`.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SITES = `
export class CartError extends Error {
  constructor(m, options) { super(m, options); this.name = "CartError"; this.code = "E_CART"; }
}

export function plain(m) {
  throw new TypeError(m);
}

export function custom(m) {
  throw new CartError(m);
}

export function byRuntime(m) {
  return null[m];
}

export function byLibrary(m) {
  return JSON.parse("{" + m);
}

class Shelf {
  static take(m) { throw new RangeError(m); }
  give(m) { throw new RangeError(m); }
}

export function take(m) { return Shelf.take(m); }
export function give(m) { return new Shelf().give(m); }

export function inMap(m) {
  return [...m].map(() => plain(m));
}

export async function awaited(m) {
  await null;
  throw new CartError(m);
}

export function wrapped(m) {
  try {
    plain(m);
  } catch (error) {
    throw new CartError(m, { cause: error });
  }
}
`;

const PATHS = `
import { AsyncLocalStorage } from "node:async_hooks";
import { dispatch } from "webby";

export async function direct(f, m) { return await f(m); }

async function service(f, m) { return await f(m); }
export async function through(f, m) { return await service(f, m); }

export async function recursive(f, m, n) {
  if (n > 0) return await recursive(f, m, n - 1);
  return await f(m);
}

export async function all(f, m, n) {
  return await Promise.all([...Array(n).fill(null), f(m)]);
}

export async function any(f, m, n) {
  return await Promise.any(Array(n).fill(0).map(() => direct(f, m)));
}

export async function routed(f, m) { return await dispatch(f, m); }

export async function chained(f, m, n) {
  try {
    await f(m);
  } catch (error) {
    throw new Error("order " + n, { cause: error });
  }
}
`;

const MAIN = `
import { inspect } from "node:util";
import * as sites from "./src/sites.mjs";
import * as paths from "./src/paths.mjs";

Error.stackTraceLimit = 50;
const words = ["pear", "two\\nlines", "17", "at the (end:1:2)", "{ a: 1 }", "user 'x'"];
let seed = Number(process.argv[2]);
const below = (n) => (seed = (seed * 48271) % 2147483647) % n;

// The first in the chain, of an aggregate the first member's.
const ROOTS = { wrapped: "plain", inMap: "plain" };

for (let round = 0; round < 4; round++) {
  for (const [site, f] of Object.entries(sites)) {
    if (site === "CartError") continue;
    for (const [path, way] of Object.entries(paths)) {
      const message = words[below(words.length)] + " " + below(1000);
      try {
        await way(f, message, 1 + below(6));
      } catch (error) {
        console.log("\\x1e", site, ROOTS[site] ?? site, path);
        console.log(inspect(error, { depth: 9 }));
      }
    }
  }
}
`;

const WEBBY = `export async function dispatch(f, ...args) {
  return await f(...args);
}
`;

const [folder, seed] = process.argv.slice(2);
let state = Number(seed) + 7;
const below = (n) => (state = (state * 48271) % 2147483647) % n;

// The same source with blank lines and comments between its lines.
function drifted(source) {
  const extra = ["\n", "\n\n\n", "// a comment\n", "    // another, further in\n"];
  const lines = source.split("\n").map((line) => line + "\n");
  return lines.map((line) => (below(3) === 0 ? extra[below(4)] : "") + line).join("");
}

const root = join(folder, ["app", "home/u/app", `srv/release-${seed}`, "x"][below(4)]);
const files = { "src/sites.mjs": SITES, "src/paths.mjs": PATHS, "main.mjs": MAIN };
for (const [name, source] of Object.entries(files)) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), drifted(source));
}
const library = join(root, "node_modules/webby");
mkdirSync(library, { recursive: true });
writeFileSync(join(library, "package.json"), '{"type":"module","exports":"./index.js"}');
writeFileSync(join(library, "index.js"), WEBBY);
process.stdout.write(execFileSync("node", [join(root, "main.mjs"), seed], { maxBuffer: 1 << 26 }));
