/** Draws the seed of all properties before the first test and prints it. Main process of the suite, once per project. */
import { SEED_VARIABLE, drawSeed } from './property-runs.ts';

export default function setUp(): void {
  const isDrawn = process.env[SEED_VARIABLE] !== undefined;
  const words = drawSeed();
  if (!isDrawn) process.stdout.write(`${words}\n`);
}
