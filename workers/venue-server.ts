/** Thread entry: hosts simulated venues on loopback. Started with VenueWorkerData, spoken to with VenueWorkerRequest. */
import { parentPort, workerData } from 'node:worker_threads';
import { hostVenues } from '../src/simulation/live/venue-worker.ts';
import type { VenueWorkerData } from '../src/simulation/live/venue-worker.ts';

if (parentPort === null) throw new Error('workers/venue-server.ts runs as a worker thread only');
// The starter is this project's own composition root: the data's shape is its promise.
await hostVenues(workerData as VenueWorkerData, parentPort);
