/** What a client of the stream wants to hear: patterns of metrics, a venue, a symbol. Pure. */
import type { MetricLabels } from '../runtime/metrics.ts';

/** One wish. Absent fields ask for everything. */
export interface Subscription {
  /** Names in which * stands for any text; none asks for all. */
  readonly metrics: readonly string[];
  readonly venue?: string;
  /** Compared with the labels `symbol` and `base`. */
  readonly symbol?: string;
}

const PATTERNS_MAX = 32;
const CHARACTERS_MAX = 100;

/** A wish that cannot be understood; the message says which rule it breaks. */
export class SubscriptionRefused extends Error {
  override readonly name = 'SubscriptionRefused';

  constructor(what: string, rule: string, value: unknown) {
    super(`${what} must be ${rule}, was ${(JSON.stringify(value) ?? 'missing').slice(0, CHARACTERS_MAX)}`);
  }
}

/** What a client says: subscribe to one more wish, or forget all of them. */
export type ClientWord =
  { readonly type: 'subscribe'; readonly subscription: Subscription } | { readonly type: 'reset' };

/** Reads `{"subscribe": {"metrics": ["api_*"], "venue": "bybit", "symbol": "BTC"}}` or `{"reset": true}`. Throws SubscriptionRefused. */
export function readClientWord(text: string): ClientWord {
  const word = parse(text);
  if (word['reset'] === true && Object.keys(word).length === 1) return { type: 'reset' };
  const { subscribe, ...others } = word;
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) throw new SubscriptionRefused('a message', 'subscribe or reset', stranger);
  if (!isRecord(subscribe)) throw new SubscriptionRefused('subscribe', 'a map of metrics, venue and symbol', subscribe);
  const { metrics = [], venue, symbol, ...rest } = subscribe;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new SubscriptionRefused('subscribe', 'a map of metrics, venue and symbol', unknown);
  return {
    type: 'subscribe',
    subscription: {
      metrics: readPatterns(metrics),
      ...(venue === undefined ? {} : { venue: readText('venue', venue) }),
      ...(symbol === undefined ? {} : { symbol: readText('symbol', symbol) }),
    },
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let word: unknown;
  try {
    word = JSON.parse(text);
  } catch {
    throw new SubscriptionRefused('a message', 'JSON', text);
  }
  if (!isRecord(word)) throw new SubscriptionRefused('a message', 'a JSON map', word);
  return word;
}

function readPatterns(metrics: unknown): readonly string[] {
  if (!Array.isArray(metrics) || metrics.length > PATTERNS_MAX)
    throw new SubscriptionRefused('metrics', `a list of at most ${PATTERNS_MAX} patterns`, metrics);
  return metrics.map((one: unknown) => readText('metrics', one));
}

function readText(what: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > CHARACTERS_MAX)
    throw new SubscriptionRefused(what, `text of 1 to ${CHARACTERS_MAX} characters`, value);
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Answers whether a metric with these labels is wanted. */
export type Matcher = (metric: string, labels: MetricLabels) => boolean;

/** Makes the question of one wish; what it finds of a name is remembered, names are few. */
export function matcherOf({ metrics, venue, symbol }: Subscription): Matcher {
  const patterns = metrics.map(patternOf);
  const known = new Map<string, boolean>();
  const isNamed = (metric: string): boolean => {
    let isWanted = known.get(metric);
    if (isWanted === undefined) {
      isWanted = patterns.length === 0 || patterns.some((pattern) => pattern.test(metric));
      known.set(metric, isWanted);
    }
    return isWanted;
  };
  return (metric, labels) =>
    isNamed(metric) &&
    (venue === undefined || labels['venue'] === venue) &&
    (symbol === undefined || labels['symbol'] === symbol || labels['base'] === symbol);
}

function patternOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  // Runs of stars are one: without that a pattern could take for ever.
  return new RegExp(`^${parts.join('*').replace(/\*+/g, '[^]*')}$`);
}
