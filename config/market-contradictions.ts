/** Finds settings of simulated markets, ports, keys and placement that are each legal but impossible together. Pure; any thread. */
import { matchesPath } from '../src/composition/pinning.ts';
import { GENERATED_BASES, GENERATED_SERIES } from '../src/simulation/generated-tape.ts';
import { MADE_UP_NAMES, modelOf } from '../src/simulation/made-up.ts';
import { simulatedBases } from '../src/simulation/markets.ts';
import type { Contradiction } from './contradictions.ts';
import type { TandemConfig, TapeConfig } from './schema.ts';

/** Symbols that no market or tape of this project knows. */
export function knownMarkets({ symbols, venues, tape }: TandemConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const hosted = Object.entries(venues).filter(([, venue]) => venue.kind === 'simulated');
  const listed = hosted.map(([name]) => simulatedBases(name));
  symbols.forEach((symbol, index) => {
    const path = ['symbols', index];
    const unlisted = listed.find((bases) => !bases.includes(modelOf(symbol)));
    if (unlisted !== undefined)
      found.push({
        path,
        rule: `must be a market of every simulated venue (${unlisted.join(', ')}, ${MADE_UP_NAMES})`,
      });
    else if (tape?.kind === 'generated' && !GENERATED_BASES.includes(modelOf(symbol)))
      found.push({ path, rule: `must be a base the generated tape knows (${GENERATED_BASES.join(', ')})` });
  });
  if (tape?.kind === 'recorded') return [...found, ...exceptedMarkets(symbols, tape)];
  if (tape === undefined) return found;
  for (const [name, driver] of Object.entries(tape.venues)) {
    if (!GENERATED_SERIES.includes(driver.series))
      found.push({
        path: ['tape', 'venues', name, 'series'],
        rule: `must be a fitted series (${GENERATED_SERIES.join(', ')})`,
      });
  }
  return found;
}

/** Rows declared for a market that is not traded, or twice for one. */
function exceptedMarkets(
  symbols: readonly string[],
  tape: Extract<TapeConfig, { readonly kind: 'recorded' }>,
): Contradiction[] {
  const found: Contradiction[] = [];
  for (const [name, { except }] of Object.entries(tape.venues)) {
    const seen = new Set<string>();
    except.forEach(({ bases }, index) =>
      bases.forEach((base, place) => {
        const path = ['tape', 'venues', name, 'except', index, 'bases', place];
        if (!symbols.includes(base)) found.push({ path, rule: `must be one of symbols (${symbols.join(', ')})` });
        if (seen.has(base)) found.push({ path, rule: 'must not be excepted twice' });
        seen.add(base);
      }),
    );
  }
  return found;
}

/** Listeners of one process on one port. */
export function portsTaken({ venues, control }: TandemConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const ownerOf = new Map<number, string>([[control.port, 'control.port']]);
  for (const [name, venue] of Object.entries(venues)) {
    if (venue.kind !== 'simulated' || venue.restUrl !== undefined || venue.port === 0) continue;
    const owner = ownerOf.get(venue.port);
    if (owner === undefined) ownerOf.set(venue.port, `venues.${name}.port`);
    else found.push({ path: ['venues', name, 'port'], rule: `must not be that of ${owner}` });
  }
  return found;
}

/** Two accounts with one key would use each other's nonces. */
export function keysShared({ venues }: TandemConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const seen = new Set<string>();
  for (const [name, venue] of Object.entries(venues)) {
    if (venue.kind !== 'live') continue;
    venue.accounts.forEach(({ keyFile, credential }, index) => {
      const path = ['venues', name, 'accounts', index, credential === undefined ? 'keyFile' : 'credential'];
      if ((keyFile === undefined) === (credential === undefined))
        found.push({ path, rule: 'must be given, keyFile or credential, and not both' });
      const source = credential === undefined ? `file ${keyFile}` : `credential ${credential}`;
      if (seen.has(source)) found.push({ path, rule: 'must not be of another account too' });
      seen.add(source);
    });
  }
  return found;
}

/** A calendar that is anchored at no instant of its own, or where there is only the real one. */
export function calendarAnchor({ mode, calendar }: TandemConfig): Contradiction[] {
  if (calendar.anchorAt === undefined) return [];
  const path = ['calendar', 'anchorAt'];
  if (mode === 'live') return [{ path, rule: 'must be absent when mode is "live"' }];
  return calendar.startAt === 'now' ? [{ path, rule: 'must come with a calendar.startAt that is an instant' }] : [];
}

/** Placement rules that match no actor, come too late, or name a thread that there is not or that cannot run what they match. */
export function placementRules({ placement, venues, symbols, workers }: TandemConfig): Contradiction[] {
  const threads = (kind: string, count: number): readonly string[] =>
    count === 0 ? ['main'] : Array.from({ length: count }, (_, index) => `${kind}-${index}`);
  const io = Object.entries(venues).flatMap(([name, venue]) =>
    venue.accounts.map((account) => `connector/${name}:${account.name}`),
  );
  const trading = ['guard', 'strategy', ...symbols.map((symbol) => `position/${symbol}`)];
  const store = workers.io === 0 && workers.trading === 0 ? 'main' : 'store';
  const free = new Map<string, readonly string[]>([
    ['journal', [store]],
    ['observer', ['main']],
    ...io.map((path) => [path, threads('io', workers.io)] as const),
    ...trading.map((path) => [path, threads('trading', workers.trading)] as const),
  ]);
  const found: Contradiction[] = [];
  placement.forEach(({ paths, thread }, index) => {
    const matched = [...free].filter(([path]) => matchesPath(paths, path));
    for (const [path] of matched) free.delete(path);
    const misfit = matched.find(([, able]) => !able.includes(thread));
    if (matched.length === 0)
      found.push({
        path: ['placement', index, 'paths'],
        rule: 'must match an actor that no earlier rule has placed',
      });
    else if (misfit !== undefined)
      found.push({
        path: ['placement', index, 'thread'],
        rule: `must be a thread that can run ${misfit[0]} (${misfit[1].join(', ')})`,
      });
  });
  return found;
}
