/** Funding of the market generator: correlated Gaussian processes mapped through fitted quantiles. Any thread. */
import { normals } from './generated-prices.ts';
import { Sequence, normalShare, unitAr1 } from './normal-draws.ts';

/** Quantiles `q` in basis points of notional per 8 hours at probabilities `p`; coefficients per step of `intervalHours`. */
export interface FundingFit {
  readonly intervalHours: number;
  readonly phiSlow: number;
  readonly phiFast: number;
  readonly weightSlow: number;
  readonly p: readonly number[];
  readonly q: readonly number[];
}

/**
 * Shares of each hour's shock: the whole market's, the base's on all venues, the venue's on all bases, and the rest. They
 * give about the recorded rank correlations: 0.55 between venues for one base, 0.5 between bases on one venue.
 */
const SHARES = { market: 0.4, base: 0.15, venue: 0.1, own: 0.35 };
const QUANTILE_HOURS = 8;

/** The settled rates of one base on one venue, by step: step n settles n intervals after the epoch. */
export class FundingProcess {
  readonly intervalHours: number;
  readonly #fit: FundingFit;
  readonly #firstStep: number;
  readonly #rates: Sequence<number>;

  constructor(
    seed: number,
    venue: string,
    base: string,
    fit: FundingFit,
    range: { readonly startHour: number; readonly intervalHours: number },
  ) {
    this.#fit = fit;
    this.intervalHours = range.intervalHours;
    this.#firstStep = Math.ceil(range.startHour / range.intervalHours);
    const offsetHours = this.#firstStep * range.intervalHours - range.startHour;
    const slowShocks = shocks(seed, venue, base, 'slow', offsetHours, range.intervalHours);
    const fastShocks = shocks(seed, venue, base, 'fast', offsetHours, range.intervalHours);
    // Coefficients are per fitted step; a process that steps at another pace forgets as much per hour.
    const pace = range.intervalHours / fit.intervalHours;
    const slow = unitAr1(fit.phiSlow ** pace, slowShocks);
    const fast = unitAr1(fit.phiFast ** pace, fastShocks);
    this.#rates = new Sequence((_previous, index) => {
      const z = Math.sqrt(fit.weightSlow) * slow.at(index) + Math.sqrt(1 - fit.weightSlow) * fast.at(index);
      return quantile(this.#fit, normalShare(z));
    });
  }

  /** Fraction of notional for the interval that ends at a step, 1e-12. Steps before the start answer as the first. */
  ratePicoAt(step: number): number {
    const bpPer8Hours = this.#rates.at(Math.max(0, step - this.#firstStep));
    return Math.round(((bpPer8Hours * 1e-4 * this.intervalHours) / QUANTILE_HOURS) * 1e12);
  }
}

/** Unit innovations per step: the sum of the step's hourly shocks, so that venues of different intervals stay correlated. */
function shocks(
  seed: number,
  venue: string,
  base: string,
  speed: string,
  offsetHours: number,
  intervalHours: number,
): (index: number) => number {
  const parts = [
    { weight: SHARES.market, draw: normals(seed, `funding/${speed}`) },
    { weight: SHARES.base, draw: normals(seed, `funding/${speed}/base/${base}`) },
    { weight: SHARES.venue, draw: normals(seed, `funding/${speed}/venue/${venue}`) },
    { weight: SHARES.own, draw: normals(seed, `funding/${speed}/${venue}/${base}`) },
  ];
  return (index) => {
    let sum = 0;
    for (let hour = 0; hour < intervalHours; hour++) {
      const at = offsetHours + (index - 1) * intervalHours + hour + 1;
      for (const { weight, draw } of parts) sum += Math.sqrt(weight) * draw(at);
    }
    return sum / Math.sqrt(intervalHours);
  };
}

/** Piecewise linear quantile function. */
function quantile(fit: FundingFit, probability: number): number {
  let index = 1;
  while (index < fit.p.length - 1 && (fit.p[index] ?? 1) < probability) index += 1;
  const p0 = fit.p[index - 1] ?? 0;
  const p1 = fit.p[index] ?? 1;
  const q0 = fit.q[index - 1] ?? 0;
  const q1 = fit.q[index] ?? q0;
  return p1 === p0 ? q1 : q0 + ((q1 - q0) * (probability - p0)) / (p1 - p0);
}
