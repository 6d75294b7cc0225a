import { beforeAll, describe, expect, it } from 'vitest';
import { lintPlanted } from './planted.ts';
import type { Complaint } from './planted.ts';

/** Each plants one forbidden thing. */
const forbidden: readonly (readonly [name: string, rule: string, source: string])[] = [
  ['Date.now', 'no-ambient', 'export const nowMs = () => Date.now();'],
  ['new Date', 'no-ambient', 'export const now = () => new Date();'],
  ['globalThis.Date', 'no-ambient', 'export const now = () => globalThis.Date.now();'],
  ['performance', 'no-ambient', 'export const nowMs = () => performance.now();'],
  ['process.hrtime', 'no-ambient', 'export const now = () => process.hrtime.bigint();'],
  ['process.env', 'no-ambient', 'export const home = () => process.env.HOME;'],
  ['process["env"]', 'no-ambient', 'export const home = () => process["env"].HOME;'],
  [
    'destructured process.env',
    'no-ambient',
    'export function home() {\n  const { env } = process;\n  return env.HOME;\n}',
  ],
  ['setTimeout', 'no-ambient', 'export const later = (act: () => void) => setTimeout(act, 1);'],
  ['setInterval', 'no-ambient', 'export const later = (act: () => void) => setInterval(act, 1);'],
  ['setImmediate', 'no-ambient', 'export const later = (act: () => void) => setImmediate(act);'],
  ['clearTimeout', 'no-ambient', 'export const stop = (timer: number) => clearTimeout(timer);'],
  ['queueMicrotask', 'no-ambient', 'export const later = (act: () => void) => queueMicrotask(act);'],
  ['Math.random', 'no-ambient', 'export const dice = () => Math.random();'],
  ['destructured Math.random', 'no-ambient', 'const { random } = Math;\nexport const dice = () => random();'],
  ['crypto.randomUUID', 'no-ambient', 'export const id = () => crypto.randomUUID();'],
  [
    'crypto.getRandomValues',
    'no-ambient',
    'export const fill = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);',
  ],
  [
    'randomBytes by name',
    'no-ambient',
    "import { randomBytes } from 'node:crypto';\nexport const key = () => randomBytes(8);",
  ],
  [
    'randomBytes by module',
    'no-ambient',
    "import * as crypto from 'node:crypto';\nexport const key = () => crypto.randomBytes(8);",
  ],
  ['AbortSignal.timeout', 'no-ambient', 'export const soon = () => AbortSignal.timeout(5);'],
  [
    'timers/promises',
    'no-ambient',
    "import { scheduler } from 'node:timers/promises';\nexport const wait = scheduler;",
  ],
  ['WeakRef', 'no-ambient', 'export const weak = (thing: object) => new WeakRef(thing);'],
  ['FinalizationRegistry', 'no-ambient', 'export const registry = () => new FinalizationRegistry(() => {});'],
  ['fs', 'no-ambient', "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;"],
  ['net', 'no-ambient', "import net from 'net';\nexport const server = net;"],
  ['undici', 'no-ambient', "import { Pool } from 'undici';\nexport const pool = Pool;"],
  ['toLocaleString', 'no-ambient', 'export const show = (amount: number) => amount.toLocaleString();'],
  ['toLocaleUpperCase', 'no-ambient', 'export const show = (text: string) => text.toLocaleUpperCase();'],
  ['Intl', 'no-ambient', 'export const show = (amount: number) => new Intl.NumberFormat("en").format(amount);'],
  ['fetch', 'no-ambient', 'export const ask = () => fetch("http://127.0.0.1/");'],
  ['import()', 'no-ambient', "export const late = () => import('./allowed.ts');"],
  ['async function', 'no-async', 'export async function answer() {\n  return 1;\n}'],
  ['async arrow', 'no-async', 'export const answer = async () => 1;'],
  ['async method', 'no-async', 'export class Door {\n  async open() {\n    return 1;\n  }\n}'],
  ['await', 'no-async', 'export const one = await 1;'],
  [
    'for await',
    'no-async',
    'declare const rows: AsyncIterable<string>;\nfor await (const row of rows) row.trim();\nexport {};',
  ],
  ['.then', 'no-async', 'export const after = (answer: PromiseLike<number>) => void answer.then((value) => value);'],
  ['Promise', 'no-async', 'export const answer = () => Promise.resolve(1);'],
  ['module-level let', 'no-module-state', 'let count = 0;\nexport const next = () => (count += 1);'],
  ['exported let', 'no-module-state', 'export let count = 0;\nexport const next = () => (count += 1);'],
  [
    'module-level Map',
    'no-module-state',
    'const seen = new Map<string, number>();\nexport const see = (key: string) => seen.set(key, 1);',
  ],
  [
    'module-level empty array',
    'no-module-state',
    'const seen: string[] = [];\nexport const see = (key: string) => seen.push(key);',
  ],
];

const allowed = `
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { RandomStream } from '../runtime/actor.ts';

export type When = Date;
export type Answer = Promise<number>;
export type Door = { readonly then: string; readonly stats: Stats };
const UNITS: ReadonlyMap<string, number> = new Map([['h', 3_600_000]]);
const NONE: readonly string[] = [];
const NAMES = ['a', 'b'] as const;

export function draw(random: RandomStream, performance: { readonly score: number }, door: Door): number {
  let sum = performance.score + NONE.length + NAMES.length + (UNITS.get('h') ?? 0) + door.then.length;
  sum += random.nextFraction() * Math.max(1, sum);
  assert.ok(sum >= 0, 'sum is positive');
  return createHash('sha256').update(String(sum)).digest().length;
}
`;
const runtimeContract = 'export interface RandomStream {\n  nextFraction(): number;\n}\n';

const adapter = `
import { readFileSync } from 'node:fs';
export async function read(file: string): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, Math.random()));
  return readFileSync(file, 'utf8') + Date.now();
}
`;
const adapterPlaces = [
  'src/ports/live/http-port.ts',
  'src/storage/live/journal-database.ts',
  'src/runtime/thread-host.ts',
  'src/cli/status.ts',
  'src/control/server.ts',
  'src/main.ts',
  'workers/host.ts',
  'bench/speed.ts',
  'test/some.ts',
];

/** What every planted file would otherwise be told besides its own fault. */
const unrelated = /eslint\(no-unused|typescript\(/;

describe('the ban list of ambient time, randomness, input/output, promises and module state', () => {
  const files: Record<string, string> = { 'src/observe/allowed.ts': allowed, 'src/runtime/actor.ts': runtimeContract };
  forbidden.forEach(([, , source], index) => {
    files[`src/observe/forbidden-${index}.ts`] = `${source}\n`;
    files[`actors/forbidden-${index}.ts`] = `${source}\n`;
  });
  for (const place of adapterPlaces) files[place] = adapter;
  let complaints: readonly Complaint[] = [];
  beforeAll(async () => {
    complaints = await lintPlanted(files);
  });
  const rulesFor = (file: string) =>
    complaints.filter((complaint) => complaint.file === file && !unrelated.test(complaint.rule));

  it.each(forbidden.map(([name, rule], index) => ({ name, rule, index })))(
    '$rule refuses $name in src and actors',
    ({ rule, index }) => {
      for (const file of [`src/observe/forbidden-${index}.ts`, `actors/forbidden-${index}.ts`]) {
        const found = rulesFor(file);
        expect(found.map((complaint) => complaint.rule)).toContain(`tandem(${rule})`);
        for (const complaint of found) expect(complaint.line).toBeGreaterThan(0);
      }
    },
  );

  it('accepts pure code that only has such names as types, parameters, members or constants', () => {
    expect(rulesFor('src/observe/allowed.ts')).toEqual([]);
  });

  it.each(adapterPlaces)('leaves the adapter %s alone', (place) => {
    expect(rulesFor(place)).toEqual([]);
  });
});
