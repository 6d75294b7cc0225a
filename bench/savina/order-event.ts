/** An order event of eight fields, as a connector tells it to a position: the message of the shapes. Any thread. */

export interface OrderEvent {
  readonly type: 'order-event';
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly priceTicks: number;
  readonly quantityLots: number;
  readonly feeMicros: number;
  readonly number: number;
  readonly isMaker: boolean;
}

export function orderEvent(number: number): OrderEvent {
  return {
    type: 'order-event',
    symbol: 'BTC-PERP',
    side: (number & 1) === 0 ? 'buy' : 'sell',
    priceTicks: 6_543_210 + (number % 1_000),
    quantityLots: 250,
    feeMicros: 1_234_567,
    number,
    isMaker: true,
  };
}
