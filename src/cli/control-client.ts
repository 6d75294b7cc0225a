/** Asks a running engine's control server on this machine. Main thread only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { INTENT_HEADER } from '../control/request-gate.ts';
import { CommandFailure } from './command-failure.ts';
import { readPort } from './option-values.ts';

/** There is no engine at the address, or it does not answer. */
export class EngineSilent extends CommandFailure {}

const ANSWER_MS_MAX = 5_000;

export interface ControlOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly json?: true;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Adds the options of every command that asks a running engine. */
export function addControlOptions(command: Command): Command {
  return command
    .option('--data-dir <folder>', "the engine's data directory, where its token is", './var')
    .option('--port <port>', "port of the engine's control server", readPort, 7_070)
    .option('--json', 'print the answer as JSON');
}

/** Throws CommandFailure (exit code 1) when there is no engine, no token, or no JSON; any HTTP status is an answer. */
export async function askControl(options: ControlOptions, path: string): Promise<ControlAnswer> {
  return await request(options, path, {});
}

/** Asks for a change; throws as `askControl`. */
export async function orderControl(options: ControlOptions, path: string, body: object): Promise<ControlAnswer> {
  const headers = { 'content-type': 'application/json', [INTENT_HEADER]: '1' };
  return await request(options, path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Returns the path of an actor as part of an address. */
export function addressOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

interface ControlRequest {
  readonly method?: 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function request(
  options: ControlOptions,
  path: string,
  { headers, ...rest }: ControlRequest,
): Promise<ControlAnswer> {
  const address = `http://127.0.0.1:${options.port}${path}`;
  const token = readToken(options.dataDir);
  const response = await fetch(address, {
    ...rest,
    headers: { ...headers, authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).catch((cause: unknown) => {
    throw new EngineSilent(`no engine answers at ${address}: ${reasonOf(cause)}`);
  });
  const text = await response.text();
  if (response.status === 401 || (response.status === 403 && text === '')) {
    throw new CommandFailure(
      `the engine at ${address} refused the token of ${options.dataDir}: is it another engine's?`,
    );
  }
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    throw new CommandFailure(`${address} must answer JSON, answered ${response.status} "${text.slice(0, 200)}"`);
  }
}

/** Returns the token of the engine of a data directory. Throws EngineSilent. */
export function readToken(dataDir: string): string {
  const file = join(dataDir, 'control.token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new EngineSilent(`no token of a running engine in ${file}: ${reasonOf(cause)}`);
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // fetch hides why behind "fetch failed".
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
