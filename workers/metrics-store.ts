/** Thread entrypoint: roll-ups of metrics on disk. */
import { serveRollups } from '../src/observe/live/rollup-thread.ts';

serveRollups();
