import { execFile, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec, venueSpec } from '../../src/composition/market.ts';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { hostClock } from '../../src/simulation/live/host-clock.ts';
import { startVenueServer } from '../../src/simulation/live/venue-host.ts';
import type { VenueServer } from '../../src/simulation/live/venue-host.ts';
import type { SimulatedVenue } from '../../src/simulation/simulated-venue.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { LAUNCH } from '../cli/run-tandem.ts';
import { expectRowsExact } from './identities-check.ts';
import { readJournal } from './journal-rows.ts';

const VENUES = ['lighter', 'extended'] as const;
const ENGINE = join(import.meta.dirname, 'fixtures', 'engine-process.ts');

interface World {
  readonly file: string;
  readonly dataDir: string;
  readonly venues: readonly SimulatedVenue[];
}

const servers: VenueServer[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.close();
});

/** Two venues that outlive every engine, and the configuration of an engine that trades there. */
async function world(): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-flatten-'));
  const base = readFileSync(join(import.meta.dirname, 'fixtures', 'kill.yaml'), 'utf8');
  const anchorAt = new Date().toISOString();
  const plain = join(dataDir, 'plain.yaml');
  // Held until somebody closes it.
  const text = base
    .replace('maxHoldH: 0.2', 'maxHoldH: 100000')
    .replace('resumeTrading: false', 'resumeTrading: true')
    .replace('calendar:\n', `dataDir: ${dataDir}\ncalendar:\n  anchorAt: ${anchorAt}\n`);
  writeFileSync(plain, text);
  const config = loadConfig(plain, {});
  const calendar = marketCalendar(config, Date.now());
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  let running = text;
  const venues: SimulatedVenue[] = [];
  for (const name of VENUES) {
    const simulated = config.venues[name];
    if (simulated?.kind !== 'simulated') throw new Error(`${name} must be simulated`);
    const { venue } = buildVenue(venueSpec(config, name, simulated), tape);
    const server = await startVenueServer({ venue, port: 0, now: hostClock(calendar) });
    const { restPath, streamPath } = hostsOf(name);
    running = running.replace(
      `  ${name}:\n    kind: simulated\n`,
      `  ${name}:\n    kind: simulated\n    restUrl: ${server.url + restPath}\n    streamUrl: ${server.streamUrl + streamPath}\n`,
    );
    venues.push(venue);
    servers.push(server);
  }
  const file = join(dataDir, 'engine.yaml');
  writeFileSync(file, running);
  return { file, dataDir, venues };
}

const held = ({ venues }: World): number =>
  venues.reduce((sum, venue) => sum + (venue.oracle().accounts.get('main')?.positions.size ?? 0), 0);

/** Starts the engine and waits until it holds something on both venues. */
async function trading(at: World): Promise<ChildProcess> {
  const child = fork(ENGINE, [at.file, '{}'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  while (held(at) < 2) {
    if (child.exitCode !== null) throw new Error(`the engine ended with ${child.exitCode}`);
    await sleep(20);
  }
  return child;
}

async function flatten(at: World): Promise<{ readonly code: number; readonly text: string }> {
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [LAUNCH, 'flatten', '--yes', '--config', at.file, '--port', '9'],
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    );
  });
}

it.each([
  ['dead', 'SIGKILL'],
  ['hung', 'SIGSTOP'],
] as const)(
  'flatten closes everything of an engine that is %s, and the next start stays halted',
  { timeout: 120_000 },
  async (_how, signal) => {
    const at = await world();
    const engine = await trading(at);
    engine.kill(signal);
    const { code, text } = await flatten(at);
    expect(text).toContain('flat: no pair is open');
    expect(code).toBe(0);
    expect(held(at)).toBe(0);
    for (const venue of at.venues)
      for (const order of venue.oracle().accounts.get('main')?.orders ?? [])
        expect(['queued', 'open']).not.toContain(order.status);
    const states = readJournal(at.dataDir).filter((row) => row.type === 'engine-state');
    expectRowsExact(readJournal(at.dataDir));
    expect(states.at(-1)?.payload).toMatchObject({ state: 'HALTED', flatten: true });
  },
);

it(
  'kill level 4 cancels everything, leaves the positions, ends the engine, and the next start stays halted',
  {
    timeout: 120_000,
  },
  async () => {
    const at = await world();
    const engine = execFile(process.execPath, [LAUNCH, 'start', '--config', at.file, '--port', '0']);
    children.push(engine);
    const said: string[] = [];
    engine.stdout?.on('data', (chunk: string) => said.push(chunk));
    const ended = once(engine, 'exit');
    while (held(at) < 2) await sleep(20);
    writeFileSync(join(at.dataDir, 'kill'), '4 leave');
    const [code] = (await ended) as [number | null];
    expect(said.join('')).toContain('left: every order cancelled');
    expect(code).toBe(0);
    // At least the legs of the pair that was open; another may have been opening.
    expect(held(at)).toBeGreaterThanOrEqual(2);
    for (const venue of at.venues)
      for (const order of venue.oracle().accounts.get('main')?.orders ?? [])
        expect(['queued', 'open']).not.toContain(order.status);
    const states = readJournal(at.dataDir).filter((row) => row.type === 'engine-state');
    expect(states.at(-1)?.payload).toMatchObject({ state: 'HALTED', flatten: false, reason: 'K4: kill file: leave' });
  },
);
