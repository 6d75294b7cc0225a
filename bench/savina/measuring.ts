/** Makes a program's file a benchmark without loading what measures it: worker threads load that file too. */
import type { BenchModule } from '../result.ts';
import type { Program } from './program.ts';

/** Returns the `run` of a program's benchmark. */
export function measuring(program: Program): BenchModule['run'] {
  return async function* run(options) {
    const { measureProgram } = await import('./measure.ts');
    yield* measureProgram(program, options);
  };
}
