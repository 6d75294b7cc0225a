/** Thread entry: checks a part of a long journal while the starting thread checks the rest. Started with JournalCheckData. */
import { workerData } from 'node:worker_threads';
import { runSecondPart } from '../src/storage/live/verify-journal.ts';
import type { JournalCheckData } from '../src/storage/live/verify-journal.ts';

// The starter is verify-journal.ts itself: the data's shape is its promise.
runSecondPart(workerData as JournalCheckData);
