/** Refuses faulty specs of supervisors and children before anything is started from them. Pure; any thread. */
import type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';

/** Which rule a spec breaks. */
export type SpecFault =
  | 'missing-id'
  | 'duplicate-id'
  | 'missing-start'
  | 'missing-children'
  | 'bad-type'
  | 'bad-restart'
  | 'bad-shutdown'
  | 'bad-significant'
  | 'bad-mailbox'
  | 'bad-strategy'
  | 'bad-intensity'
  | 'bad-period'
  | 'bad-backoff'
  | 'bad-auto-shutdown'
  | 'bad-template'
  | 'bad-thread'
  | 'unknown-thread';

/** A spec that breaks a rule; the message names the child, the rule and the value. */
export class FaultySpec extends Error {
  override readonly name = 'FaultySpec';
  readonly code: SpecFault;

  constructor(code: SpecFault, detail: string) {
    super(detail);
    this.code = code;
  }
}

const RESTARTS: readonly unknown[] = ['permanent', 'transient', 'temporary'];
const STRATEGIES: readonly unknown[] = ['one-for-one', 'one-for-all', 'rest-for-one', 'simple-one-for-one'];
const AUTO_SHUTDOWNS: readonly unknown[] = ['never', 'any-significant', 'all-significant'];

/**
 * Throws FaultySpec unless the spec and all below it keep the rules. Specs may come from other threads or from configuration,
 * so that the compiler's word is not taken for anything. Unknown fields are ignored. `ids` collects the ids seen.
 */
export function checkChild(spec: ChildSpec, ids: Set<string>): void {
  if (typeof spec.id !== 'string' || spec.id === '') {
    throw new FaultySpec('missing-id', `a child spec must have an id, was ${JSON.stringify(spec.id)}`);
  }
  if (ids.has(spec.id)) {
    throw new FaultySpec('duplicate-id', `ids must be unique in the whole tree, "${spec.id}" occurs twice`);
  }
  ids.add(spec.id);
  checkPolicy(spec);
  switch (spec.type) {
    case 'actor':
      checkActor(spec);
      return;
    case 'supervisor':
      checkSupervisor(spec, ids);
      return;
    default:
      throw faulty('bad-type', spec, 'type', '"actor" or "supervisor"');
  }
}

/** Throws FaultySpec unless the supervisor's own fields and its children keep the rules; its id is not looked at. */
export function checkSupervisor(spec: SupervisorSpec, ids: Set<string>): void {
  check(
    spec.strategy === undefined || STRATEGIES.includes(spec.strategy),
    'bad-strategy',
    spec,
    'strategy',
    STRATEGIES.join(', '),
  );
  check(isAtLeast(spec.intensity, 0), 'bad-intensity', spec, 'intensity', '0 or more');
  check(isAtLeast(spec.periodMs, Number.MIN_VALUE), 'bad-period', spec, 'periodMs', 'positive');
  check(isAtLeast(spec.backoffMinMs, 0), 'bad-backoff', spec, 'backoffMinMs', '0 or more');
  check(isAtLeast(spec.backoffMaxMs, 0), 'bad-backoff', spec, 'backoffMaxMs', '0 or more');
  check(
    spec.autoShutdown === undefined || AUTO_SHUTDOWNS.includes(spec.autoShutdown),
    'bad-auto-shutdown',
    spec,
    'autoShutdown',
    AUTO_SHUTDOWNS.join(', '),
  );
  if (!Array.isArray(spec.children)) throw faulty('missing-children', spec, 'children', 'a list of child specs');
  // What init returns is checked when it did.
  if (spec.init !== undefined) return;
  if (spec.strategy === 'simple-one-for-one' && spec.children.length !== 1) {
    throw new FaultySpec(
      'bad-template',
      `a simple-one-for-one supervisor must have one child spec, "${spec.id}" has ${spec.children.length}`,
    );
  }
  // The ids below a template are only made when children are made from it.
  const idsBelow = spec.strategy === 'simple-one-for-one' ? new Set<string>() : ids;
  for (const child of spec.children) {
    checkChild(child, idsBelow);
    checkSignificant(spec, child);
  }
}

/** OTP: `significant` means nothing, and is refused, unless the supervisor can end with the child and the child can end. */
export function checkSignificant(supervisor: SupervisorSpec, child: ChildSpec): void {
  if (child.significant !== true) return;
  if ((supervisor.autoShutdown ?? 'never') === 'never') {
    throw new FaultySpec(
      'bad-significant',
      `significant children must have a supervisor with autoShutdown, "${supervisor.id}" of "${child.id}" has none`,
    );
  }
}

function checkPolicy(spec: ChildSpec): void {
  check(
    spec.restart === undefined || RESTARTS.includes(spec.restart),
    'bad-restart',
    spec,
    'restart',
    RESTARTS.join(', '),
  );
  check(isAtLeast(spec.shutdownMs, 0), 'bad-shutdown', spec, 'shutdownMs', '0 or more');
  const { significant } = spec;
  check(
    significant === undefined || typeof significant === 'boolean',
    'bad-significant',
    spec,
    'significant',
    'a boolean',
  );
  if (significant === true && (spec.restart ?? 'permanent') === 'permanent') {
    throw new FaultySpec(
      'bad-significant',
      `significant children must be transient or temporary, "${spec.id}" is permanent`,
    );
  }
}

function checkActor(spec: ActorSpec): void {
  check(typeof spec.kind === 'string' && spec.kind !== '', 'missing-start', spec, 'kind', 'the name of an actor kind');
  check(isAtLeast(spec.mailboxMessagesMax, 1), 'bad-mailbox', spec, 'mailboxMessagesMax', '1 or more');
}

function isAtLeast(value: number | undefined, least: number): boolean {
  return value === undefined || (typeof value === 'number' && value >= least);
}

function check<Spec extends ChildSpec>(
  holds: boolean,
  code: SpecFault,
  spec: Spec,
  field: keyof Spec & string,
  rule: string,
): void {
  if (!holds) throw faulty(code, spec, field, rule);
}

function faulty<Spec extends ChildSpec>(
  code: SpecFault,
  spec: Spec,
  field: keyof Spec & string,
  rule: string,
): FaultySpec {
  return new FaultySpec(code, `${field} of "${spec.id}" must be ${rule}, was ${String(spec[field])}`);
}
