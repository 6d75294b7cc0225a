import { describe, expect, it } from 'vitest';
import { matcherOf, readClientWord } from '../../src/observe/subscription.ts';

describe('a subscription', () => {
  it.each([
    [{ metrics: [] }, 'anything', {}, true],
    [{ metrics: ['api_*'] }, 'api_call_latency', {}, true],
    [{ metrics: ['api_*'] }, 'my_api_call', {}, false],
    [{ metrics: ['*_total', 'heap'] }, 'heap', {}, true],
    [{ metrics: ['a.c'] }, 'abc', {}, false],
    [{ metrics: [], venue: 'bybit' }, 'x', { venue: 'bybit' }, true],
    [{ metrics: [], venue: 'bybit' }, 'x', {}, false],
    [{ metrics: [], symbol: 'BTC' }, 'x', { base: 'BTC' }, true],
    [{ metrics: [], symbol: 'BTC' }, 'x', { symbol: 'BTC' }, true],
    [{ metrics: [], symbol: 'BTC' }, 'x', { base: 'ETH' }, false],
  ])('%j of %s with %j: %s', (subscription, metric, labels, isWanted) => {
    const matches = matcherOf(subscription);
    // Asked twice: what was found of a name is remembered.
    expect([matches(metric, labels), matches(metric, labels)]).toEqual([isWanted, isWanted]);
  });

  it('takes no time over a pattern of many stars', () => {
    const matches = matcherOf({ metrics: [`${'*'.repeat(90)}z`] });
    expect(matches('a'.repeat(10_000), {})).toBe(false);
  });

  it.each([
    ['nonsense', 'a message must be JSON, was "nonsense"'],
    ['[]', 'a message must be a JSON map, was []'],
    ['{"more": 1}', 'a message must be subscribe or reset, was "more"'],
    ['{"subscribe": 1}', 'subscribe must be a map of metrics, venue and symbol, was 1'],
    ['{"subscribe": {"metric": []}}', 'subscribe must be a map of metrics, venue and symbol, was "metric"'],
    ['{"subscribe": {"metrics": [""]}}', 'metrics must be text of 1 to 100 characters, was ""'],
    ['{"subscribe": {"venue": 5}}', 'venue must be text of 1 to 100 characters, was 5'],
  ])('is refused with the rule it breaks: %s', (text, message) => {
    expect(() => readClientWord(text)).toThrow(message);
  });

  it('is read whole', () => {
    expect(readClientWord('{"subscribe": {"metrics": ["a*"], "venue": "bybit", "symbol": "BTC"}}')).toEqual({
      type: 'subscribe',
      subscription: { metrics: ['a*'], venue: 'bybit', symbol: 'BTC' },
    });
    expect(readClientWord('{"reset": true}')).toEqual({ type: 'reset' });
  });
});
