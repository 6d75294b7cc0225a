/** Who can run a program: the runtime, its peers, Erlang. Types only. */
import type { RunReport } from './program.ts';

/** Something that runs one problem again and again. */
export interface Subject {
  /** As it stands in the tables. */
  readonly name: string;
  /** Runs once. The answer is not yet checked. */
  run(): Promise<RunReport>;
  close(): Promise<void>;
}

/** A subject, or why there is none. */
export type Candidate = { readonly name: string } & (
  { readonly start: () => Promise<Subject> } | { readonly absent: string }
);
