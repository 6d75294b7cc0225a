/** How Hyperliquid makes an hourly rate from the hour's average premium, and back. Integers of 1e-12; pure; any thread. */

const INTEREST_8H_PICO = 100_000_000;
const CLAMP_PICO = 500_000_000;
const HOURLY_CAP_PICO = 40_000_000_000;
/** The formula gives a rate for eight hours, an eighth of which is paid every hour. */
const HOURS = 8;

/** The same for those who only foresee rates. */
export const PREMIUM_FORMULA = {
  perMs: HOURS * 3_600_000,
  interest8hPico: INTEREST_8H_PICO,
  clampPico: CLAMP_PICO,
  hourlyCapPico: HOURLY_CAP_PICO,
} as const;

/** premium + clamp(interest - premium, within 0.05 %), an eighth of it, at most 4 %. */
export function hourlyRatePico(premiumPico: number): number {
  const eightHours = premiumPico + clamp(INTEREST_8H_PICO - premiumPico, CLAMP_PICO);
  return clamp(Math.round(eightHours / HOURS), HOURLY_CAP_PICO);
}

/** Returns the premium nearest to zero interest that gives this rate; the flat part of the formula is answered with its middle. */
export function premiumPicoOf(ratePico: number): number {
  const eightHours = clamp(ratePico, HOURLY_CAP_PICO) * HOURS;
  if (eightHours === INTEREST_8H_PICO) return INTEREST_8H_PICO;
  return eightHours + (eightHours > INTEREST_8H_PICO ? CLAMP_PICO : -CLAMP_PICO);
}

function clamp(value: number, bound: number): number {
  return Math.min(bound, Math.max(-bound, value));
}
