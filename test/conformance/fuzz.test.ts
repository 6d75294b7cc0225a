/** Damaged bytes at every reader of every venue: typed errors or nothing. test/long plays fifty times as many, with time and memory. */
import { expect, it } from 'vitest';
import { fuzz, fuzzSubjects } from './fuzz.ts';
import { VENUES } from './venues.ts';

const INPUTS = 1_000;
const SEED = 1;

it.each(VENUES)('%s reads damaged frames and answers, or refuses them by name', (venue) => {
  const subjects = fuzzSubjects(venue);
  expect(subjects.length).toBeGreaterThan(10);
  for (const subject of subjects) {
    // What the twin says itself can be read: else everything after is refused at the door.
    for (const seed of subject.seeds.slice(0, 5)) expect(() => subject.read(seed)).not.toThrow();
    expect(fuzz(subject, INPUTS, SEED)).toBeUndefined();
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
