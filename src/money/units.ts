/** The exact number types of money: branded so that one meaning cannot be passed for another. Any thread. */

declare const brand: unique symbol;
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A price of one instrument, as a whole number of its ticks. Meaningless beside another instrument's. */
export type PriceTicks = Branded<number, 'PriceTicks'>;
/** An unsigned quantity of one instrument, as a whole number of its lots. */
export type QuantityLots = Branded<number, 'QuantityLots'>;
/** A position in lots: long positive, short negative. */
export type SignedLots = Branded<number, 'SignedLots'>;
/** Quote money in 1e-6 units; positive is good for us. */
export type MicroUnits = Branded<bigint, 'MicroUnits'>;
/** A rate or fraction in 1e-12 units: 0.01 % is 100,000,000. */
export type PicoRate = Branded<number, 'PicoRate'>;
