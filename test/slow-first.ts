/** The order of test files: those that mostly wait begin first, so that the others use the cores meanwhile. For vitest.config.ts. */
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Names of the longest, longest first. */
const SLOW = [
  'engine/kill',
  'engine/january',
  'engine/start',
  'engine/start-refused',
  'engine/worker-kill',
  'engine/worker-counts',
];

/** Place of a file in its project; files that are not slow share the last one. */
function place({ moduleId }: TestSpecification): number {
  const index = SLOW.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
  return index < 0 ? SLOW.length : index;
}

/** Vitest's own order, after the slow ones: those that failed or took long the last time first. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}
