/**
 * What makes this connector fast and can be switched off while it runs: no decision depends on it. A switch is journaled, so that later
 * lives go on with it; one made under another configuration of its flag has been overruled by that configuration. Connector thread.
 */
import { refOf } from '../../src/runtime/actor.ts';
import { rowsOfPage } from '../../src/storage/row-page.ts';
import { READ_SOURCES } from '../../src/venues/read-sources.ts';
import { FLAG_NAMES, isFlagName } from '../../src/venues/flags.ts';
import type { FlagName, Flags } from '../../src/venues/flags.ts';
import type { JournalMessage, RowsRead } from '../journal-messages.ts';
import { appendRow } from './facts.ts';
import { endFallBack } from './fall-back.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** What is known of the switches of earlier lives. */
export interface FlagTrack {
  /** What the configuration says, before any switch. */
  readonly configured: Flags;
  /** Switched in this life: newer than anything that is still being read. */
  readonly switched: Set<FlagName>;
  switches: number;
  /** The journal has answered. */
  isKnown: boolean;
  readAfterSequence: number;
  askedAtMs: number;
}

const ASK_AGAIN_MS = 2_000;
const READ_LIMIT = 500;

export function newFlagTrack(configured: Flags): FlagTrack {
  return {
    configured,
    switched: new Set(),
    switches: 0,
    isKnown: false,
    readAfterSequence: 0,
    askedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** Brings the doors in line with what is wanted, as a new life finds them as an earlier one left them. */
export function applyFlags(state: ConnectorState, self: ConnectorSelf): void {
  for (const name of FLAG_NAMES) carryOut(self, name, state.flags[name]);
}

/** Switches one; an unknown name changes nothing. */
export function setFlag(state: ConnectorState, self: ConnectorSelf, name: string, isOn: boolean): void {
  if (!isFlagName(name)) {
    self.log('error', 'flag-unknown', { name });
    return;
  }
  state.flagTrack.switched.add(name);
  if (state.flags[name] !== isOn) remember(state, self, name, isOn);
  endFallBack(state, self, name);
  turn(state, self, name, isOn);
}

/** Asks the journal for switches of earlier lives until it answers. Called every tick. */
export function advanceFlags(state: ConnectorState, self: ConnectorSelf): void {
  const { isKnown, askedAtMs } = state.flagTrack;
  if (!isKnown && self.monotonicMs() - askedAtMs >= ASK_AGAIN_MS) read(state, self);
}

/** Takes rows of all connectors; the last of our own about each flag counts. */
export function flagsRead(state: ConnectorState, self: ConnectorSelf, { page, readId, complete }: RowsRead): void {
  const { flagTrack } = state;
  if (flagTrack.isKnown || readId !== readIdOf(flagTrack)) return;
  for (const row of rowsOfPage(page)) {
    flagTrack.readAfterSequence = row.sequence ?? flagTrack.readAfterSequence;
    const { name, isOn, configured } = row.payload;
    if (row.actor !== self.path || typeof name !== 'string' || !isFlagName(name) || typeof isOn !== 'boolean') continue;
    if (flagTrack.switched.has(name)) continue;
    turn(state, self, name, configured === flagTrack.configured[name] ? isOn : flagTrack.configured[name]);
  }
  if (complete) flagTrack.isKnown = true;
  else read(state, self);
}

function read({ args, flagTrack }: ConnectorState, self: ConnectorSelf): void {
  flagTrack.askedAtMs = self.monotonicMs();
  const message: JournalMessage = {
    type: 'read-rows',
    query: { type: 'by-type', rowType: 'flag', afterSequence: flagTrack.readAfterSequence, limit: READ_LIMIT },
    replyTo: self.ref,
    readId: readIdOf(flagTrack),
  };
  self.tell(refOf<JournalMessage>(args.journalPath), message);
}

/** Below 0: those from 0 on are the usage ramp's. */
function readIdOf({ readAfterSequence }: FlagTrack): number {
  return -1 - readAfterSequence;
}

function remember(state: ConnectorState, self: ConnectorSelf, name: FlagName, isOn: boolean): void {
  const { args, flagTrack } = state;
  const { venue, account } = args;
  flagTrack.switches += 1;
  const atMs = self.nowMs();
  appendRow(state, self, {
    id: `flag:${venue}:${account}:${Math.floor(atMs)}:${self.incarnation}:${flagTrack.switches}`,
    type: 'flag',
    atMs,
    actor: self.path,
    correlation: '',
    payload: { venue, account, name, isOn, configured: flagTrack.configured[name] },
  });
}

function turn(state: ConnectorState, self: ConnectorSelf, name: FlagName, isOn: boolean): void {
  const { venue, account } = state.args;
  if (state.flags[name] !== isOn) self.log('info', 'flag-set', { venue, account, name, isOn });
  state.flags = { ...state.flags, [name]: isOn };
  carryOut(self, name, isOn);
}

/** By flag: what is wanted, and how often it went wrong by itself and something simpler took its place. */
export type FlagsPicture = Readonly<Record<FlagName, { readonly isOn: boolean; readonly fellBack: number }>>;

/** As of the last tick. */
export function flagsPicture({ flags, doors, fallBacks }: ConnectorState): FlagsPicture {
  const fellBack = (name: FlagName): number => {
    const own = fallBacks.get(name);
    if (own !== undefined) return own.count;
    if (doors === undefined) return 0;
    if (name === 'burst-pool') return doors.health.fallbacks;
    if (name === 'cpu-pool') return doors.cpuFallbacks;
    const source = READ_SOURCES.find((candidate) => name === `cache-${candidate}`);
    return source === undefined ? 0 : doors.reads[source].fallbacks;
  };
  const picture = {} as Record<FlagName, { isOn: boolean; fellBack: number }>;
  for (const name of FLAG_NAMES) picture[name] = { isOn: flags[name], fellBack: fellBack(name) };
  return picture;
}

function carryOut({ ports: { http, cpu } }: ConnectorSelf, name: FlagName, isOn: boolean): void {
  switch (name) {
    case 'cache-metadata':
      http.share('metadata', isOn);
      return;
    case 'cache-balances':
      http.share('balances', isOn);
      return;
    case 'cache-positions':
      http.share('positions', isOn);
      return;
    case 'cache-tickers':
      http.share('tickers', isOn);
      return;
    case 'cpu-pool':
      cpu.usePool(isOn);
      return;
    case 'burst-pool':
      http.setBurst(isOn);
      return;
    case 'premium-profile':
      http.setProfile(isOn ? 'premium' : 'standard');
      return;
    case 'adaptive-concurrency':
    case 'coalescing':
      // Looked up where they are used.
      return;
  }
}
