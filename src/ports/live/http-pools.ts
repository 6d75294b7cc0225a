/**
 * The warm connections of one thread: a pool per origin, a soft limit on requests under way over all of them, and a burst above it
 * that ends by itself. Connector threads only.
 *
 * ```
 *   calm ──as many under way as the soft limit──▶ burst ──its time is over, or far fewer under way──▶ shrinking ──as long again──▶ calm
 * ```
 *
 * In a burst every origin has a second pool; what does not fit waits its turn, orders and cancels never: not for a place, and not for a
 * connection that stalled reads hold, for which every origin has a reserve.
 */
import { Pool } from 'undici';
import type { HttpHealth } from '../ports.ts';

export interface HttpPoolOptions {
  /** Connections per origin: of the profile in force, and of each profile. */
  readonly profile: 'standard' | 'premium';
  readonly standardConnections: number;
  readonly premiumConnections: number;
  /** An idle connection is kept this long, ms; the venue may close it sooner. */
  readonly keepAliveMs: number;
  /** Requests under way on the thread: usually at most, and in a burst. */
  readonly softLimit: number;
  readonly burstLimit: number;
  readonly burstMs: number;
}

export const DEFAULT_POOLS: HttpPoolOptions = {
  profile: 'standard',
  standardConnections: 16,
  premiumConnections: 48,
  keepAliveMs: 30_000,
  softLimit: 150,
  burstLimit: 300,
  burstMs: 30_000,
};

/** Below this part of the soft limit a burst is over before its time. */
const CALM_SHARE = 0.5;

interface OriginPools {
  usual: Pool;
  burst: Pool | undefined;
  /** For orders and cancels alone, while the usual connections are all taken. */
  reserve: Pool | undefined;
}

/** A place among the requests under way; `pool` is where the request goes. */
export interface Place {
  readonly pool: Pool;
  release(): void;
}

type Phase =
  | { readonly type: 'calm' }
  | { readonly type: 'burst'; readonly sinceMs: number }
  | { readonly type: 'shrinking'; readonly sinceMs: number };

export class HttpPools {
  readonly #options: HttpPoolOptions;
  readonly #nowMs: () => number;
  readonly #pools = new Map<string, OriginPools>();
  readonly #waiting: { readonly origin: string; readonly enter: (place: Place) => void; isGone: boolean }[] = [];
  #profile: HttpPoolOptions['profile'];
  #mayBurst = true;
  #phase: Phase = { type: 'calm' };
  #inFlight = 0;
  #bursts = 0;
  #fallbacks = 0;
  #waited = 0;

  constructor(options: HttpPoolOptions, nowMs: () => number = () => performance.now()) {
    if (!(options.softLimit >= 1 && options.burstLimit >= options.softLimit))
      throw new RangeError(
        `burstLimit must be at least softLimit, and that at least 1, were ${options.burstLimit} and ${options.softLimit}`,
      );
    this.#options = options;
    this.#nowMs = nowMs;
    this.#profile = options.profile;
  }

  /** Calls `enter` with a place, now or when there is one; returns how to give up waiting. What is urgent never waits. */
  enter(origin: string, isUrgent: boolean, enter: (place: Place) => void): () => void {
    this.#advance();
    if (isUrgent || this.#inFlight < this.#limit()) {
      enter(this.#place(origin, isUrgent));
      return () => undefined;
    }
    const waiting = { origin, enter, isGone: false };
    this.#waiting.push(waiting);
    this.#waited += 1;
    return () => {
      waiting.isGone = true;
    };
  }

  setProfile(profile: HttpPoolOptions['profile']): void {
    if (profile === this.#profile) return;
    this.#profile = profile;
    // What is under way on the old pools ends there; new requests open new ones.
    for (const pools of this.#pools.values()) close(pools);
    this.#pools.clear();
  }

  setBurst(isOn: boolean): void {
    this.#mayBurst = isOn;
    if (!isOn && this.#phase.type === 'burst') this.#shrink();
  }

  health(): HttpHealth {
    return {
      profile: this.#profile,
      inFlight: this.#inFlight,
      waiting: this.#waiting.filter(({ isGone }) => !isGone).length,
      waited: this.#waited,
      phase: this.#phase.type,
      bursts: this.#bursts,
      fallbacks: this.#fallbacks,
    };
  }

  async destroy(): Promise<void> {
    const all = [...this.#pools.values()].flatMap(poolsIn);
    this.#pools.clear();
    await Promise.all(all.map(async (pool) => pool.destroy()));
  }

  #place(origin: string, isUrgent: boolean): Place {
    this.#inFlight += 1;
    const isExtra = this.#inFlight > this.#options.softLimit && this.#phase.type === 'burst';
    const pool = isUrgent ? this.#urgentPoolOf(origin) : this.#poolOf(origin, isExtra);
    let isReleased = false;
    return {
      pool,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#inFlight -= 1;
        this.#advance();
        this.#admit();
      },
    };
  }

  #admit(): void {
    while (this.#inFlight < this.#limit()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (!next.isGone) next.enter(this.#place(next.origin, false));
    }
  }

  #limit(): number {
    return this.#phase.type === 'burst' ? this.#options.burstLimit : this.#options.softLimit;
  }

  #advance(): void {
    const now = this.#nowMs();
    const { softLimit, burstMs } = this.#options;
    if (this.#phase.type === 'burst') {
      const isOver = now - this.#phase.sinceMs >= burstMs;
      if (isOver || this.#inFlight < softLimit * CALM_SHARE) this.#shrink();
    } else if (this.#phase.type === 'shrinking') {
      if (now - this.#phase.sinceMs >= burstMs && this.#inFlight < softLimit) this.#phase = { type: 'calm' };
    }
    if (this.#phase.type === 'calm' && this.#mayBurst && this.#inFlight >= softLimit) {
      this.#phase = { type: 'burst', sinceMs: now };
      this.#bursts += 1;
    }
  }

  #shrink(): void {
    this.#phase = { type: 'shrinking', sinceMs: this.#nowMs() };
    for (const pools of this.#pools.values()) {
      // Ends when what is under way on it has ended.
      void pools.burst?.close();
      pools.burst = undefined;
    }
  }

  #poolsOf(origin: string): OriginPools {
    let pools = this.#pools.get(origin);
    if (pools === undefined) {
      pools = { usual: this.#newPool(origin), burst: undefined, reserve: undefined };
      this.#pools.set(origin, pools);
    }
    return pools;
  }

  /** The usual connections, which reads keep warm, while one of them is free: undici would queue the request behind what stalls. */
  #urgentPoolOf(origin: string): Pool {
    const pools = this.#poolsOf(origin);
    if (pools.usual.stats.size < this.#connections()) return pools.usual;
    pools.reserve ??= this.#newPool(origin);
    return pools.reserve;
  }

  #poolOf(origin: string, isExtra: boolean): Pool {
    const pools = this.#poolsOf(origin);
    if (!isExtra) return pools.usual;
    try {
      pools.burst ??= this.#newPool(origin);
      return pools.burst;
    } catch {
      // Without more sockets the usual ones must do.
      this.#fallbacks += 1;
      this.setBurst(false);
      return pools.usual;
    }
  }

  #newPool(origin: string): Pool {
    return new Pool(origin, {
      connections: this.#connections(),
      // Every request has a deadline of its own: undici's header and body timeouts are coarse, up to a second late.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: this.#options.keepAliveMs,
    });
  }

  #connections(): number {
    const { standardConnections, premiumConnections } = this.#options;
    return this.#profile === 'premium' ? premiumConnections : standardConnections;
  }
}

function poolsIn({ usual, burst, reserve }: OriginPools): readonly Pool[] {
  return [usual, burst, reserve].filter((pool) => pool !== undefined);
}

function close(pools: OriginPools): void {
  for (const pool of poolsIn(pools)) void pool.close();
}
