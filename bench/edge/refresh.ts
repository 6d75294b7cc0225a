/** A refresh through the door, and the same reads one by one. Main thread. */
import { DEFAULT_CONCURRENCY } from '../../actors/connector/concurrency.ts';
import type { HttpRequest, ReadSource } from '../../src/ports/ports.ts';
import { hitRate } from '../../src/venues/read-sources.ts';
import { median, spreadOf } from '../distribution.ts';
import type { BenchResult } from '../result.ts';
import { openDoor, startAnsweringServer } from './door.ts';

export interface Measurement {
  readonly runs: number;
  readonly symbols: number;
}

/** There and back. */
const DELAY_MS = 40;
const BODY_BYTES = 4_000;
const ACCOUNT = 'connector/bench:main';
/** What a watcher reads: of the venue or account as a whole, or of its symbol. */
const READS: readonly (readonly [path: string, source: ReadSource, isOfSymbol: boolean])[] = [
  ['instruments', 'metadata', false],
  ['fees', 'metadata', false],
  ['positions', 'positions', false],
  ['balance', 'balances', false],
  ['orders', 'positions', false],
  ['ticker', 'tickers', true],
  ['funding', 'metadata', true],
  ['leverage', 'metadata', true],
];

export async function measure(
  { runs, symbols }: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  const server = await startAnsweringServer(DELAY_MS, BODY_BYTES);
  const wanted = Array.from({ length: symbols }, (_, index) => READS.map((read) => requestOf(server.url, read, index)));
  const together: number[] = [];
  const apart: number[] = [];
  let spared = 0;
  try {
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      // A door of its own each time: nothing is kept, and no connection is open.
      const door = openDoor({ standardConnections: DEFAULT_CONCURRENCY.critical });
      let startedAt = performance.now();
      const gate = new Gate(DEFAULT_CONCURRENCY.critical);
      await Promise.all(
        wanted
          .flat()
          .map(async (request) =>
            door.reads.find(request.read, performance.now()) === undefined
              ? gate.run(() => door.ask(request))
              : door.ask(request),
          ),
      );
      together.push(performance.now() - startedAt);
      spared = hitRate(door.reads.statistics());
      const { read: _, ...warm } = requestOf(server.url, ['warm', 'metadata', false], 0);
      await door.ask(warm);
      startedAt = performance.now();
      for (const { read: __, ...request } of wanted.flat()) await door.ask(request);
      apart.push(performance.now() - startedAt);
      await door.close();
    }
  } finally {
    await server.close();
  }
  const value = median(together);
  const baseline = median(apart);
  const common = { runs, topology: `${symbols} watchers -> door -> server in a worker, ${DELAY_MS} ms round trip` };
  return [
    {
      ...common,
      metric: `cold refresh of ${symbols} symbols`,
      value,
      unit: 'ms',
      spread: spreadOf(together),
      baseline: { name: 'one after the other', value: baseline },
      ratio: value / baseline,
      target: { of: 'value', is: 'at most', need: 500 },
      note: `${Math.round(spared * 100)} % of the reads were answered without a request of their own`,
    },
    {
      ...common,
      metric: 'times as fast as one after the other',
      value: baseline / value,
      unit: 'x',
      spread: spreadOf(apart.map((ms, index) => ms / (together[index] ?? ms))),
      baseline: { name: 'one after the other', value: 1 },
      target: { of: 'value', is: 'at least', need: 20 },
    },
  ];
}

function requestOf(
  url: string,
  [path, source, isOfSymbol]: (typeof READS)[number],
  symbol: number,
): HttpRequest & Required<Pick<HttpRequest, 'read'>> {
  const query = isOfSymbol ? `?symbol=S${symbol}` : '';
  return {
    method: 'GET',
    url: `${url}/${path}${query}`,
    headers: {},
    timeoutMs: 10_000,
    read: { source, key: `${ACCOUNT} ${path}${query}`, sinceMs: 0 },
  };
}

/** Lets so many at a time through, as a connector does. */
class Gate {
  readonly #max: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  async run<Result>(action: () => Promise<Result>): Promise<Result> {
    if (this.#inside >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inside += 1;
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}
