/** The error of a number that breaks its rule: names the thing, the rule and the value. Any thread. */

export class RangeViolation extends Error {
  readonly code = 'RANGE_VIOLATION';
  constructor(what: string, rule: string, value: unknown) {
    super(`${what} must be ${rule}, was ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
    this.name = 'RangeViolation';
  }
}
