/** What an engine does about the journal it starts on. Pure. */
import type { GuardMessage } from '../../actors/guard-messages.ts';
import type { JournalVerdict } from '../storage/verdict.ts';

/** The lost rows may hold a kill or a pair: only a person lets this engine enter again. Undefined when nothing is lost. */
export function killForVerdict(verdict: JournalVerdict): Extract<GuardMessage, { type: 'kill' }> | undefined {
  if (verdict.type === 'ok') return undefined;
  return { type: 'kill', level: 1, reason: `JOURNAL_TAIL_LOST: ${verdict.detail}` };
}
