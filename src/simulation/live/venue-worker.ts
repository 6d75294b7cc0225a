/** The messages between the main thread and a thread that hosts simulated venues, and the hosting itself. Hosting threads only. */
import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import type { Instant } from '../../venues/venue.ts';
import type { BuiltVenue, VenueSpec } from '../build-venue.ts';
import { buildVenue } from '../build-venue.ts';
import type { AccountOracle, SimulatedVenue } from '../simulated-venue.ts';
import type { VenueCalendar } from '../venue-calendar.ts';
import { buildTape } from './build-tape.ts';
import type { TapeSpec } from './build-tape.ts';
import { hostClock } from './host-clock.ts';
import { startVenueServer } from './venue-host.ts';
import type { VenueServer } from './venue-host.ts';
import { VenueDiary } from './venue-diary.ts';
import type { World } from './world-file.ts';
import { WorldTime } from './world-file.ts';

/** `workerData` of workers/venue-server.ts. */
export interface VenueWorkerData {
  readonly calendar: VenueCalendar;
  /** Where the venues' facts are kept, and found again; undefined: they end with the thread. */
  readonly world?: World | undefined;
  readonly tape: TapeSpec;
  readonly venues: readonly (VenueSpec & { /** 0 takes any free one. */ readonly port: number })[];
}

export type VenueWorkerRequest =
  | { readonly type: 'stop' }
  | {
      readonly type: 'inject';
      readonly venue: string;
      readonly fault: string;
      readonly options?: Readonly<Record<string, number | string | boolean>>;
    }
  | {
      readonly type: 'force-trade';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly signedLots: number;
    }
  /** Answered by `oracle` with the same id. */
  | { readonly type: 'ask-oracle'; readonly askId: number; readonly venue: string };

export type VenueWorkerEvent =
  /** Sent once, when all venues listen. */
  | {
      readonly type: 'listening';
      readonly venues: readonly {
        readonly venue: string;
        readonly port: number;
        readonly url: string;
        readonly streamUrl: string;
      }[];
    }
  | {
      readonly type: 'oracle';
      readonly askId: number;
      readonly accounts: ReadonlyMap<string, AccountOracle>;
      readonly rateLimitRefusals: number;
    }
  /** All ports are free; the thread ends by itself. */
  | { readonly type: 'stopped' };

interface Hosted extends BuiltVenue {
  readonly server: VenueServer;
  readonly diary: VenueDiary | undefined;
}

/** Hosts the venues until told to stop. Rejects when a venue cannot be built or its port is taken; the thread then ends. */
export async function hostVenues(data: VenueWorkerData, port: MessagePort): Promise<void> {
  const now = hostClock(data.calendar);
  const tape = buildTape(data.tape);
  const hosted = new Map<string, Hosted>();
  for (const spec of data.venues) {
    const diary = data.world === undefined ? undefined : new VenueDiary(join(data.world.directory, spec.venue));
    const built = buildVenue(spec, tape, diary === undefined ? undefined : { past: diary.past });
    const { venue, takeFacts } = built;
    const keep = (at: Instant): void => diary?.write(at.calendarMs, takeFacts(), venue.keepsake());
    hosted.set(spec.venue, { ...built, diary, server: await startVenueServer({ venue, port: spec.port, now, keep }) });
  }
  const time = data.world === undefined ? undefined : new WorldTime(data.world);
  const tell = (event: VenueWorkerEvent): void => port.postMessage(event);
  const find = (name: string): Hosted => {
    const found = hosted.get(name);
    if (found === undefined) throw new RangeError(`this thread hosts ${[...hosted.keys()].join(', ')}, not ${name}`);
    return found;
  };

  port.on('message', (request: VenueWorkerRequest) => {
    switch (request.type) {
      case 'stop':
        void Promise.all([...hosted.values()].map(({ server }) => server.close())).then(() => {
          time?.end();
          for (const { diary } of hosted.values()) diary?.close();
          tell({ type: 'stopped' });
          port.close();
        });
        return;
      case 'inject':
        find(request.venue).server.poke((venue: SimulatedVenue) => venue.inject(request.fault, request.options));
        return;
      case 'force-trade': {
        const { server, exchange } = find(request.venue);
        server.poke(() => exchange.forceTrade(request.account, request.symbol, request.signedLots, now()));
        return;
      }
      case 'ask-oracle': {
        const { accounts, rateLimitRefusals } = find(request.venue).venue.oracle();
        // Copied field by field: orders are worked out on reading, and the lists go on growing.
        const copies = [...accounts].map(([name, books]) => [name, { ...books, orders: books.orders }] as const);
        tell({ type: 'oracle', askId: request.askId, accounts: new Map(copies), rateLimitRefusals });
        return;
      }
    }
  });
  const venues = [...hosted].map(([venue, { server }]) => {
    return { venue, port: server.port, url: server.url, streamUrl: server.streamUrl };
  });
  tell({ type: 'listening', venues });
}
