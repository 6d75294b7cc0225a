/** The properties that play whole worlds, a thousand times each (see property-runs.ts). */
import '../actors/position-faults.test.ts';
