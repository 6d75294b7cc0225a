/**
 * How often the named properties of the domain (T1 to T11) run, and from which seed: one place for all of them. A thousand runs
 * each. Tests only.
 *
 * The seed of a suite is drawn once and printed when it starts. `TANDEM_PROPERTY_SEED` repeats it, `TANDEM_PROPERTY_RUNS` changes how
 * often.
 */

export interface PropertyRuns {
  readonly numRuns: number;
  readonly seed: number;
}

const RUNS = 1_000;

export const SEED_VARIABLE = 'TANDEM_PROPERTY_SEED';
const RUNS_VARIABLE = 'TANDEM_PROPERTY_RUNS';

/** What a property is given as fast-check's parameters. */
export function propertyRuns(): PropertyRuns {
  return { numRuns: numberIn(RUNS_VARIABLE) ?? RUNS, seed: numberIn(SEED_VARIABLE) ?? 1 };
}

/** Draws the seed of this run unless one was given, and says how to have it again. Called before the first test. */
export function drawSeed(): string {
  process.env[SEED_VARIABLE] ??= String(1 + Math.floor(Math.random() * 2 ** 31));
  const { numRuns, seed } = propertyRuns();
  return `properties: ${numRuns} runs each, ${SEED_VARIABLE}=${seed}`;
}

/** Throws when a variable is set and no whole number: a misspelt seed must not be another one. */
function numberIn(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${variable} must be a whole number from 1, was "${text}"`);
  return value;
}
