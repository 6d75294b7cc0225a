/** Every recorded payload and every published vector is used, or says why not: a file that nobody reads proves nothing. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readersOf } from './fuzz.ts';
import { venueOf, VENUES } from './venues.ts';

const SHARED = join(import.meta.dirname, '..', '..', '..', 'shared', 'venues');
const FIXTURES = join(SHARED, 'fixtures');
const hasFixtures = existsSync(FIXTURES);

const NOT_ASKED = 'the engine does not ask for it';
const REQUEST = 'what a client sends: what ours sends is compared with the vectors';
const NO_TRANSFERS = 'the engine moves no money and makes no keys';

/** Kinds that neither a reader of the engine nor a test of their venue has any use for, and why. */
const UNREAD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  extended: {
    'rest.user.order.massCancel.request': REQUEST,
    'rest.user.order.request': REQUEST,
  },
  bybit: { 'client-frames': REQUEST, 'ws-trade-order-entry': NOT_ASKED },
  hyperliquid: {
    'info-all-mids': NOT_ASKED,
    'info-candles': NOT_ASKED,
    'info-extra-agents': NOT_ASKED,
    'info-meta': 'one of them answers for exchanges beside the first',
    'info-meta-and-asset-ctxs': NOT_ASKED,
    'info-recent-trades': NOT_ASKED,
    'info-spot-clearinghouse-state': NOT_ASKED,
    'info-user-rate-limit': NOT_ASKED,
  },
  coinbase: { 'intx-ws-retired': 'a venue that was closed' },
};

/** Groups of vectors that no test uses, and why. */
const UNUSED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bybit: { officialExampleUnverifiable: 'its own key is not published' },
  extended: { transfer: NO_TRANSFERS, withdrawal: NO_TRANSFERS, keyFromEthereumSignature: NO_TRANSFERS },
  hyperliquid: { notes: 'words' },
};

/** Everything that the tests of one venue say. */
function testsOf(venue: string): string {
  const folder = join(import.meta.dirname, '..', 'venues', venue);
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

interface Payload {
  readonly kind: string;
  readonly name: string;
  readonly text: string;
}

/** Kinds are folders, or names without their number. */
function payloadsOf(venue: string): readonly Payload[] {
  const folder = join(FIXTURES, venue);
  return readdirSync(folder)
    .filter((entry) => entry !== 'PROVENANCE.md')
    .flatMap((entry) => {
      const path = join(folder, entry);
      if (!statSync(path).isDirectory())
        return [{ kind: entry.replace(/\.\d+\.json$/, ''), name: entry, text: bodyOf(path) }];
      return readdirSync(path).map((file) => ({
        kind: entry,
        name: `${entry}/${file}`,
        text: bodyOf(join(path, file)),
      }));
    });
}

/** Some were kept with their question. */
function bodyOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (!path.endsWith('.json')) return text;
  const held = JSON.parse(text) as unknown;
  if (typeof held !== 'object' || held === null || !('request' in held) || !('response' in held)) return text;
  return JSON.stringify(held.response);
}

const KINDS = [...new Set(VENUES.map((tested) => venueOf(tested).venue))];

describe.skipIf(!hasFixtures)('recorded payloads (need ../shared/venues/fixtures)', () => {
  it('are of the venues that there are', () => {
    expect(readdirSync(FIXTURES).toSorted()).toEqual(KINDS.toSorted());
  });

  it.each(KINDS)(
    'of %s are read, each by some reader, or are listed with a reason',
    (venue) => {
      const readers = VENUES.filter((tested) => venueOf(tested).venue === venue).map((tested) => readersOf(tested));
      const frames = readers.flatMap((reader) => reader.frames);
      const answers = readers.flatMap((reader) => reader.answers);
      const unread = new Set<string>();
      const named = testsOf(venue);
      for (const { kind, name, text } of payloadsOf(venue)) {
        const isFrame = /^(?:\w+-)?ws[-.]|^classic/.test(kind);
        // None may bring any of them down; every one is shown to all.
        const isRead = [...frames, ...answers].map((reads, index) => reads(text) && index < frames.length === isFrame);
        // Those that need a certain moment (a change before its snapshot) have a test of their own.
        if (!isRead.includes(true) && !named.includes(kind)) unread.add(kind);
        expect(isRead.length, name).toBeGreaterThan(5);
      }
      expect([...unread].toSorted()).toEqual(Object.keys(UNREAD[venue] ?? {}).toSorted());
    },
    60_000,
  );
});

const VECTORS = join(SHARED, 'vectors');

describe.skipIf(!existsSync(VECTORS))('published vectors (need ../shared/venues/vectors)', () => {
  it('are of the venues that there are', () => {
    expect(readdirSync(VECTORS).toSorted()).toEqual(KINDS.map((venue) => `${venue}.json`).toSorted());
  });

  it.each(KINDS)('of %s are used, group by group, or are listed with a reason', (venue) => {
    const groups = JSON.parse(readFileSync(join(VECTORS, `${venue}.json`), 'utf8')) as Record<string, unknown>;
    const named = testsOf(venue);
    const unused = Object.entries(groups)
      .filter(([name, group]) => typeof group === 'object' && !new RegExp(`\\b${name}\\b`).test(named))
      .map(([name]) => name);
    expect(unused.toSorted()).toEqual(Object.keys(UNUSED[venue] ?? {}).toSorted());
  });
});
