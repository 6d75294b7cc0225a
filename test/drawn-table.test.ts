import { expect, it } from 'vitest';
import { changesOf, drawnTable, drawnTransitions, expectDrawn } from './drawn-table.ts';

const CIRCUIT = 'src/risk/circuit-breaker.ts';

it('is read as one transition for each pair of what its cells list', () => {
  expect(drawnTransitions(CIRCUIT)).toContainEqual(['half-open', 'refusal for a limit', 'open']);
  expect(drawnTransitions(CIRCUIT)).toHaveLength(7);
});

it('must be there', () => {
  expect(() => drawnTable('src/risk/limits.ts', ['from', 'event', 'to'])).toThrow(
    'src/risk/limits.ts must draw a table',
  );
});

it('fails for a row too many and for a row too few', () => {
  const drawn = drawnTransitions(CIRCUIT);
  expectDrawn(CIRCUIT, drawn);
  expect(() => expectDrawn(CIRCUIT, drawn.slice(1))).toThrow('the table in src/risk/circuit-breaker.ts');
  expect(() => expectDrawn(CIRCUIT, [...drawn, ['open', 'success', 'closed']])).toThrow('the table in');
});

it('is compared with samples that are what they are called', () => {
  expect(() => changesOf({ closed: 'open' }, {}, (state) => state)).toThrow('a sample of closed must be in that state');
});
