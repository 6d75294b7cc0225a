/** Common price paths and venue basis of the market generator. Deterministic per seed; any thread. */
import { hashText, randomStream } from '../runtime/random.ts';
import { modelOf } from './made-up.ts';
import { Sequence, drawNormal, unitAr1 } from './normal-draws.ts';

export interface ReturnsFit {
  readonly sdBp: number;
  /** Standard deviation of log volatility. */
  readonly sv: number;
  readonly corrBtc: number;
}
export interface BasisFit {
  readonly meanBp: number;
  readonly sdBp: number;
  readonly ac1: number;
}

/** Price levels at the start, quote per unit: orders of magnitude of January 2026. */
const START_PRICES: ReadonlyMap<string, number> = new Map([
  ['BTC', 90_000],
  ['ETH', 3_000],
  ['SOL', 135],
  ['DOGE', 0.14],
  ['HYPE', 26],
  ['XRP', 2.05],
  ['BNB', 880],
  ['SUI', 1.6],
  ['LINK', 13],
  ['AVAX', 13.5],
  ['LTC', 80],
  ['ARB', 0.2],
]);
/** Volatility lasts about a day and is mostly shared by all bases. */
const VOLATILITY_PHI = 0.95;
const VOLATILITY_SHARED = 0.8;
/** Pulls log prices back to the start with a half-life of about two months, so that long runs stay in a plausible range. */
const LEVEL_PHI = 0.9995;
/** No hour moves a price further than this (log). */
const HOUR_MOVE_MAX = 0.15;
const MINUTES = 60;
/** Hours of minute points kept per base. */
const BRIDGES_MAX = 4;
/** Basis where no fit exists: quoted in USDC against USDT, calm. */
const DEFAULT_BASIS: BasisFit = { meanBp: 3, sdBp: 3, ac1: 0.8 };

/** The outside world's price of every base, without any venue's own basis. */
export class PriceProcess {
  readonly #seed: number;
  readonly #fits: ReadonlyMap<string, ReturnsFit>;
  readonly #sharedVolatility: Sequence<number>;
  readonly #btcShocks: Sequence<number>;
  readonly #levels = new Map<string, Sequence<number>>();
  readonly #bridges = new Map<string, Map<number, readonly number[]>>();

  constructor(seed: number, fits: ReadonlyMap<string, ReturnsFit>) {
    this.#seed = seed;
    this.#fits = fits;
    this.#sharedVolatility = unitAr1(VOLATILITY_PHI, normals(seed, 'volatility'));
    const btc = normals(seed, 'returns/BTC');
    this.#btcShocks = new Sequence((_previous, index) => btc(index));
  }

  /** Quote per unit, `hours` (with a fraction) after the tape's start. */
  priceAt(base: string, hours: number): number {
    const hour = Math.floor(hours);
    const minutes = this.#bridge(base, hour);
    const place = (hours - hour) * MINUTES;
    const index = Math.min(MINUTES - 1, Math.floor(place));
    const from = minutes[index] ?? 0;
    const to = minutes[index + 1] ?? from;
    return (START_PRICES.get(modelOf(base)) ?? 1) * Math.exp(from + (to - from) * (place - index));
  }

  /** Log price over the start price at each minute of an hour, both ends included. */
  #bridge(base: string, hour: number): readonly number[] {
    let bridges = this.#bridges.get(base);
    if (bridges === undefined) this.#bridges.set(base, (bridges = new Map()));
    const known = bridges.get(hour);
    if (known !== undefined) return known;

    const levels = this.#levelsOf(base);
    const from = levels.at(hour);
    const to = levels.at(hour + 1);
    const random = randomStream(this.#seed, `bridge/${base}/${hour}`);
    const stepSd = ((this.#fitOf(base).sdBp * 1e-4) / Math.sqrt(MINUTES)) * 0.8;
    const walk = [0];
    for (let minute = 1; minute <= MINUTES; minute++) walk.push((walk[minute - 1] ?? 0) + stepSd * drawNormal(random));
    const drift = to - from - (walk[MINUTES] ?? 0);
    const minutes = walk.map((offset, minute) => from + offset + (drift * minute) / MINUTES);

    const oldest = bridges.keys().next().value;
    if (bridges.size >= BRIDGES_MAX && oldest !== undefined) bridges.delete(oldest);
    bridges.set(hour, minutes);
    return minutes;
  }

  #levelsOf(base: string): Sequence<number> {
    const known = this.#levels.get(base);
    if (known !== undefined) return known;
    const { sdBp, sv, corrBtc } = this.#fitOf(base);
    const ownVolatility = unitAr1(VOLATILITY_PHI, normals(this.#seed, `volatility/${base}`));
    const own = normals(this.#seed, `returns/${base}/own`);
    const levels = new Sequence<number>((previous, index) => {
      if (previous === undefined) return 0;
      const mood =
        Math.sqrt(VOLATILITY_SHARED) * this.#sharedVolatility.at(index) +
        Math.sqrt(1 - VOLATILITY_SHARED) * ownVolatility.at(index);
      const shock = corrBtc * this.#btcShocks.at(index) + Math.sqrt(1 - corrBtc * corrBtc) * own(index);
      const move = sdBp * 1e-4 * Math.exp(sv * mood - sv * sv) * shock;
      return LEVEL_PHI * previous + Math.max(-HOUR_MOVE_MAX, Math.min(HOUR_MOVE_MAX, move));
    });
    this.#levels.set(base, levels);
    return levels;
  }

  #fitOf(base: string): ReturnsFit {
    const fit = this.#fits.get(modelOf(base));
    if (fit === undefined) throw new RangeError(`there is no fit of returns for ${base}`);
    return fit;
  }
}

/** One venue's price over the common price, as a fraction; straight lines between hours. */
export class VenueBasis {
  readonly #fit: BasisFit;
  readonly #hourly: Sequence<number>;

  constructor(seed: number, venue: string, base: string, fit: BasisFit | undefined) {
    this.#fit = fit ?? DEFAULT_BASIS;
    this.#hourly = unitAr1(this.#fit.ac1, normals(seed, `basis/${venue}/${base}`));
  }

  fractionAt(hours: number): number {
    const hour = Math.floor(hours);
    const from = this.#hourly.at(hour);
    const to = this.#hourly.at(hour + 1);
    return (this.#fit.meanBp + this.#fit.sdBp * (from + (to - from) * (hours - hour))) * 1e-4;
  }
}

/** Unit normal draws by index: each index has its own stream, so no order of asking can matter. */
export function normals(seed: number, purpose: string): (index: number) => number {
  const base = hashText(purpose, seed);
  return (index) => drawNormal(randomStream(base, String(index)));
}
