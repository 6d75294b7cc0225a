/** What the doctor finds: a good account, and each kind of wrong, at simulated venues behind real sockets. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineAccount } from '../../src/composition/live/doctor.ts';
import type { DoctorSubject, Finding } from '../../src/composition/live/doctor.ts';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import { startVenueServer } from '../../src/simulation/live/venue-host.ts';
import type { VenueServer } from '../../src/simulation/live/venue-host.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import type { Instant } from '../../src/venues/venue.ts';
import { plainTape } from '../simulation/plain-tape.ts';
import { accountOf, factsOf, venueOf, VENUES } from '../conformance/venues.ts';
import type { TestedVenue } from '../conformance/venues.ts';

const PORT_OF_NOBODY = 1;
/** The venue's clock shows this much more than ours. */
let aheadMs = 0;

class Patient {
  readonly server: VenueServer;
  readonly venue: TestedVenue;
  constructor(venue: TestedVenue, server: VenueServer) {
    this.venue = venue;
    this.server = server;
  }

  static async admit(venue: TestedVenue): Promise<Patient> {
    const spec = {
      ...venueOf(venue),
      bases: ['BTC'],
      accounts: [{ name: 'main', balance: 5_000 }],
      limits: 'standard' as const,
    };
    const delays = { takerDelayMs: 0, makerDelayMs: 0, cancelDelayMs: 0, bookIntervalMs: 100 };
    const built = buildVenue({ ...spec, ...delays, seed: 1, calendarScale: 1 }, plainTape({ priceAt: () => 1_000 }));
    const now = (): Instant => ({ monotonicMs: performance.now(), calendarMs: Date.now() + aheadMs });
    return new Patient(venue, await startVenueServer({ venue: built.venue, port: 0, now }));
  }

  subject(change: Partial<DoctorSubject> = {}): DoctorSubject {
    const { server } = this;
    const { venue } = venueOf(this.venue);
    const { options, secrets } = accountOf(this.venue);
    const { restPath, streamPath, profileOptions } = hostsOf(venue);
    return {
      venue,
      account: 'main',
      restUrl: server.url + restPath,
      streamUrl: server.streamUrl + streamPath,
      options: { ...options, ...profileOptions.standard },
      secrets: { type: 'published', secrets },
      symbols: ['BTC'],
      calendarScale: 1,
      clockWarnOffsetMs: 500,
      ...change,
    };
  }

  async examine(change: Partial<DoctorSubject> = {}): Promise<ReadonlyMap<string, Finding>> {
    const now = (): Instant => ({ monotonicMs: performance.now(), calendarMs: Date.now() });
    const findings = new Map<string, Finding>();
    for await (const finding of examineAccount(this.subject(change), now)) findings.set(finding.step, finding);
    return findings;
  }
}

describe.each(VENUES)('an account at %s', (venue) => {
  // A venue of its own each time: what one examination asks counts against the limits of the next.
  let patient: Patient;
  beforeEach(async () => {
    patient = await Patient.admit(venue);
  });
  afterEach(() => patient.server.close());

  it('that is well has nothing that failed, at every step', async () => {
    const findings = await patient.examine();
    expect([...findings.keys()]).toEqual([
      'keys',
      'name',
      'connection',
      'clock',
      'instruments',
      'symbols',
      'access',
      'rights',
      'limits',
      'streams',
      'balance',
    ]);
    expect([...findings.values()].filter(({ status }) => status === 'failed' || status === 'skipped')).toEqual([]);
    expect(findings.get('balance')?.detail).toContain('5000.00 in the wallet');
    expect(findings.get('symbols')?.detail).toContain(factsOf(venue).symbol);
    if (factsOf(venue).listsNoPayments === true)
      expect(findings.get('rights')).toMatchObject({
        status: 'warning',
        detail: expect.stringContaining('lists no funding payments') as string,
      });
  });

  it('with a revoked key is told so, and what depends on the key is not tried', async () => {
    patient.server.poke((twin) => twin.inject('revoke-key'));
    const findings = await patient.examine();
    patient.server.poke((twin) => twin.inject('revoke-key', { isRevoked: false }));
    // Reading is public at one venue: its key is only needed to trade.
    const isPublic = venue === 'hyperliquid';
    const finding = findings.get(isPublic ? 'rights' : 'access');
    expect(finding?.status).toBe('failed');
    expect(finding?.detail).toMatch(
      new RegExp(`^${venueOf(venue).venue} does not accept the (key|session token) of account main \\(.+\\): check`),
    );
    for (const step of isPublic ? [] : ['rights', 'streams', 'balance'])
      expect(findings.get(step)).toMatchObject({ status: 'skipped', detail: 'access comes first' });
  });

  it('that wants a market which is not listed is told its name', async () => {
    const findings = await patient.examine({ symbols: ['BTC', 'NOSUCH'] });
    expect(findings.get('symbols')).toMatchObject({
      status: 'failed',
      detail: `${venueOf(venue).venue} lists no perpetual of NOSUCH: remove it from symbols or check the spelling`,
    });
    expect(findings.get('streams')?.status).toBe('ok');
  });

  it('whose venue runs by another clock is told how far', async () => {
    aheadMs = 9_000;
    const { status, detail } = (await patient.examine()).get('clock') ?? {};
    aheadMs = 0;
    expect(status).toBe('failed');
    expect(detail).toMatch(
      /^the venue's clock is \d+ ms ahead of ours, .* at most 2000 are allowed: set this machine's clock/,
    );
  });

  it('that nobody answers for is told where it was looked for', async () => {
    const findings = await patient.examine({ restUrl: `http://127.0.0.1:${PORT_OF_NOBODY}` });
    expect(findings.get('connection')?.detail).toMatch(
      /^127\.0\.0\.1 port 1 does not answer \(ECONNREFUSED.*check the address/,
    );
    expect(findings.get('clock')).toMatchObject({ status: 'skipped', detail: 'the connection comes first' });
    const nameless = await patient.examine({ restUrl: 'http://no-such-host.invalid' });
    expect(nameless.get('name')?.detail).toMatch(/^no-such-host\.invalid has no address .*: check restUrl/);
  });
});

it('keys that may withdraw, key files that others may read, and lost secrets fail by name', async () => {
  const patient = await Patient.admit('bybit');
  const folder = mkdtempSync(join(tmpdir(), 'doctor-keys-'));
  try {
    patient.server.poke((twin) => twin.inject('key-rights', { canWithdraw: true }));
    expect((await patient.examine()).get('rights')?.detail).toMatch(
      /^the key of account main at bybit may move money out .*: make one that can only read and trade/,
    );
    const path = join(folder, 'bybit.yaml');
    writeFileSync(path, 'apiKey: "some"\n', { mode: 0o644 });
    const source = { type: 'file', path } as const;
    expect((await patient.examine({ secrets: source })).get('keys')?.detail).toBe(
      `key file ${path} must have mode 0600, has 644`,
    );
    chmodSync(path, 0o600);
    const findings = await patient.examine({ secrets: source });
    expect(findings.get('keys')?.detail).toBe('bybit secret apiSecret must be present, was "absent"');
    expect(findings.get('access')).toMatchObject({ status: 'skipped', detail: 'the keys come first' });
  } finally {
    rmSync(folder, { recursive: true });
    await patient.server.close();
  }
});

it('an address behind which nobody speaks the protocol fails without a stack', async () => {
  const patient = await Patient.admit('bybit');
  const mute = createServer((socket) =>
    socket.on('error', () => socket.destroy()).end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
  );
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = mute.address() as AddressInfo;
    const findings = await patient.examine({ restUrl: `http://127.0.0.1:${port}` });
    expect(findings.get('connection')?.status).toBe('ok');
    expect(findings.get('clock')).toMatchObject({ status: 'failed' });
    expect(findings.get('clock')?.detail).not.toContain('\n');
  } finally {
    mute.close();
    await patient.server.close();
  }
});

it('the command prints a line per finding as JSON and ends with 0 when nothing failed', async () => {
  const launch = join(import.meta.dirname, '..', '..', 'src', 'launch.mjs');
  const child = spawn(process.execPath, [launch, 'doctor', '--venue', 'lighter', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  const code = await new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    child.once('exit', resolve);
  });
  const findings = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  expect(findings.map(({ account }) => account)).toEqual(Array(11).fill('lighter:main'));
  expect(findings.filter(({ status }) => status === 'failed')).toEqual([]);
  expect(code).toBe(0);
});
