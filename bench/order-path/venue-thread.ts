/** The main thread's handle of one venue thread. */
import { hostsOf } from '../../src/venues/hosts.ts';
import type { LoadPlan, VenueAddress, VenueReport } from './plan.ts';
import type { VenueEvent, VenueRequest, VenueThreadData } from './venue-worker.ts';
import { EventThread } from './worker-events.ts';

const ENTRY = new URL('./venue-worker.ts', import.meta.url);

export class VenueThread {
  readonly address: VenueAddress;
  readonly #thread: EventThread<VenueRequest, VenueEvent>;

  private constructor(thread: EventThread<VenueRequest, VenueEvent>, address: VenueAddress) {
    this.#thread = thread;
    this.address = address;
  }

  static async start(data: VenueThreadData): Promise<VenueThread> {
    const thread = new EventThread<VenueRequest, VenueEvent>(ENTRY, data);
    const { url, streamUrl } = await thread.next('listening');
    const { restPath, streamPath } = hostsOf(data.venue);
    return new VenueThread(thread, { restUrl: url + restPath, streamUrl: streamUrl + streamPath });
  }

  /** Plays one run. Rejects when an order is missing, superfluous or repeated. */
  async play(plan: LoadPlan): Promise<VenueReport> {
    const finished = this.#thread.next('finished');
    this.#thread.send({ type: 'begin', plan });
    return (await finished).report;
  }

  /** Ends the thread. Rejects unless the venue took exactly one order for each trigger. */
  async stop(): Promise<void> {
    const stopped = this.#thread.next('stopped');
    this.#thread.send({ type: 'stop' });
    const { triggers, orders } = await stopped;
    if (orders !== triggers)
      throw new Error(`the venue must take one order for each of ${triggers} triggers, took ${orders}`);
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate();
  }
}
