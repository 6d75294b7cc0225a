/** What the connector makes of trouble with its access: one sentence for a person, and what stops. Connector thread. */
import { accessSentence } from '../../src/venues/access.ts';
import type { AccessProblem } from '../../src/venues/access.ts';
import type { KeyRights } from '../../src/venues/venue.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Returns what a person is told of a refusal of access. */
export function accessText(state: ConnectorState, code: string, reason: string): string {
  const problem = state.adapter.accessProblem?.(code);
  const detail = `${code}: ${reason}`;
  return problem === undefined ? detail : sentence(state, problem, detail);
}

/** Whoever answers is not proven to be the venue: everything stops for good. There is no plainer way to try. */
export function certificateRefused(state: ConnectorState, self: ConnectorSelf, detail: string): void {
  if (state.isUntrusted) return;
  state.isUntrusted = true;
  stop(state, self, sentence(state, 'certificate', detail));
}

/** A key that may move money out is not used, nor one that may not trade. */
export function keyRightsRead(state: ConnectorState, self: ConnectorSelf, rights: KeyRights): void {
  if (rights.canWithdraw) stop(state, self, sentence(state, 'may-withdraw', 'read from the venue'));
  else if (!rights.canTrade) stop(state, self, sentence(state, 'not-permitted', 'no right to trade'));
}

function stop(state: ConnectorState, self: ConnectorSelf, reason: string): void {
  state.fatal = reason;
  self.count('access-stopped');
  self.log('error', 'access-stopped', { venue: state.args.venue, account: state.args.account, reason });
}

function sentence(state: ConnectorState, problem: AccessProblem, detail: string): string {
  return accessSentence(state.args.venue, state.args.account, problem, detail);
}
