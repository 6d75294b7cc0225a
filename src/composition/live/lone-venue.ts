/** Runs one simulated venue by itself until told to stop, for engines in other processes. Main thread. */
import type { TandemConfig } from '../../../config/schema.ts';
import type { VenueName } from '../../../config/venue-names.ts';
import { listenForStop } from '../../cli/stop-signals.ts';
import { buildVenue } from '../../simulation/build-venue.ts';
import { buildTape } from '../../simulation/live/build-tape.ts';
import { hostClock } from '../../simulation/live/host-clock.ts';
import { startVenueServer } from '../../simulation/live/venue-host.ts';
import { hostsOf } from '../../venues/hosts.ts';
import { marketCalendar, tapeSpec, venueSpec } from '../market.ts';

/** Settles with the exit code once stopped. Rejects when the port is taken or the tape cannot be played. */
export async function runLoneVenue(
  config: TandemConfig,
  options: { readonly venue: VenueName; readonly port: number },
): Promise<number> {
  const simulated = config.venues[options.venue];
  if (simulated?.kind !== 'simulated')
    throw new RangeError(
      `venue ${options.venue} must be a simulated one of the configuration, is ${simulated?.kind ?? 'absent'}`,
    );
  const calendar = marketCalendar(config, Date.now());
  const { venue } = buildVenue(
    venueSpec(config, options.venue, simulated),
    buildTape(tapeSpec(config, calendar.startAtMs)),
  );
  const server = await startVenueServer({ venue, port: options.port, now: hostClock(calendar) });
  const { restPath, streamPath } = hostsOf(options.venue);
  process.stdout.write(
    [
      `${options.venue} (simulated) listens:`,
      `  restUrl: ${server.url}${restPath}`,
      `  streamUrl: ${server.streamUrl}${streamPath}`,
      `  calendar: { scale: ${calendar.scale}, startAt: ${new Date(calendar.startAtMs).toISOString()}, anchorAt: ${new Date(calendar.anchorEpochMs).toISOString()} }`,
      'An engine in another process needs these settings. Ctrl-C ends it.',
      '',
    ].join('\n'),
  );
  await new Promise<void>((resolve) => {
    const dispose = listenForStop({
      onStop: () => {
        dispose();
        resolve();
      },
      onHurry: () => undefined,
    });
  });
  await server.close();
  return 0;
}
