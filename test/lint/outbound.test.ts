import { beforeAll, expect, it } from 'vitest';
import { lintPlanted } from './planted.ts';
import type { Complaint } from './planted.ts';

const forbidden: readonly (readonly [path: string, source: string])[] = [
  ['src/observe/live/a.ts', "import { request } from 'undici';\nexport const ask = request;"],
  ['src/observe/live/b.ts', "import { WebSocket } from 'ws';\nexport const Socket = WebSocket;"],
  ['src/control/c.ts', "import { request } from 'node:https';\nexport const ask = request;"],
  ['src/cli/d.ts', "export const late = () => import('undici');"],
  ['src/main.ts', "export const ask = () => fetch('https://venue.test');"],
  ['src/storage/live/f.ts', "export const open = () => new WebSocket('wss://venue.test');"],
  [
    'src/composition/live/g.ts',
    "import { openHttpPort } from '../../ports/live/http-port.ts';\nexport const door = openHttpPort;",
  ],
  ['src/runtime/thread-h.ts', "import 'node:net';"],
  ['workers/i.ts', "export { Pool } from 'undici';"],
];
const allowed: readonly (readonly [path: string, source: string])[] = [
  ['src/ports/live/http-pools.ts', "import { Pool } from 'undici';\nexport const usual = Pool;"],
  ['src/ports/live/http-port.ts', "import { Pool } from 'undici';\nexport const openHttpPort = Pool;"],
  [
    'src/ports/live/connector-ports.ts',
    "import { openHttpPort } from './http-port.ts';\nexport const door = openHttpPort;",
  ],
  ['src/control/y.ts', "import type { IncomingMessage } from 'node:http';\nexport type Asked = IncomingMessage;"],
  ['src/control/dashboard/z.ts', "export const ask = () => fetch('/debug/actors');"],
  ['src/observe/live/x.ts', 'export function ask(fetch: () => void): void {\n  fetch();\n}'],
];

let complaints: readonly Complaint[] = [];
beforeAll(async () => {
  complaints = await lintPlanted(Object.fromEntries([...forbidden, ...allowed]));
});

it.each(forbidden)('calls to the outside have no way around the metered doors: %s', (path) => {
  expect(complaints.filter(({ file, rule }) => file === path && rule === 'tandem(outbound)')).toHaveLength(1);
});

it.each(allowed)('the doors themselves, servers and the page are not complained of: %s', (path) => {
  expect(complaints.filter(({ file, rule }) => file === path && rule === 'tandem(outbound)')).toEqual([]);
});
