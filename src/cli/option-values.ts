/** Reads option values that several commands share. Main thread only. */
import { InvalidArgumentError } from 'commander';

/** Reads a TCP port; 0 means any free one. Throws commander's usage error. */
export function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('must be a whole number from 0 to 65535.');
  return port;
}
