/** A network that cuts, delays and loses, drawn from a seed; and the person who lets the engine trade on when it has stopped itself. Tests only. */
import { randomStream } from '../../src/runtime/random.ts';
import { CALM_NETWORK } from '../../src/simulation/network-conditions.ts';
import type { NetworkConditions } from '../../src/simulation/network-conditions.ts';
import type { DayOptions } from './played-day.ts';

/** Real ms of one stretch with the same weather; no outage is longer. */
const STRETCH_MS = 4_000;
/** How many stretches are bad at one venue or another: the engine must also have time to trade. */
const BAD_SHARE = 0.2;
/** The person looks this often, real ms. */
const LOOK_MS = 60_000;

const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'looked at it: the network was bad' } as const;

const WEATHER: readonly Partial<NetworkConditions>[] = [
  { requestLossChance: 0.2, answerLossChance: 0.2 },
  { answerLossChance: 0.5 },
  { latencyMsMin: 200, latencyMsMax: 1_500, slowChance: 0.1, slowMs: 3_000 },
  { blackHole: true },
  { refuses: true },
];

/** Same seed, same faults. */
export function badNetwork(seed: number): Pick<DayOptions, 'between' | 'stretchMs'> {
  const random = randomStream(seed, 'bad network');
  const draw = <Item>(items: readonly Item[]): Item | undefined =>
    items[Math.floor(random.nextFraction() * items.length)];
  return {
    stretchMs: STRETCH_MS,
    between: (world, atMs) => {
      const hosts = [...world.venues.keys()].map((venue) => `${venue}.test`);
      for (const host of hosts) world.network.setConditions(host, CALM_NETWORK);
      if (atMs > 0 && atMs % LOOK_MS === 0) world.system.tell('guard', TRADE);
      const host = draw(hosts);
      if (host === undefined || random.nextFraction() >= BAD_SHARE) return;
      const isCut = random.nextFraction() < 0.5;
      world.network.setConditions(host, draw(WEATHER) ?? {});
      if (isCut) world.network.cut(host);
    },
  };
}
