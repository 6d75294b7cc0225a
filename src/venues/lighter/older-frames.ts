/** Brings frames recorded before book updates named the one they follow, and statistics their time, into today's shape. Pure; any thread. */

const UPDATE = /"offset\\?":(\d+),\\?"nonce\\?":(\d+)(\})/;

/** When a line was recorded, seconds, and where statistics without a time of their own say what they are. */
const RECORDED_AT = /^\{"ts":(\d+(?:\.\d+)?)/;
const STATISTICS = /(\\?")type\\?":\\?"(?:update|subscribed)\/market_stats/;

/** Returns a reader for the lines of one connection in order. What is not a book's update is left as it is. */
export function modernLighterFrames(): (line: string) => string {
  const last = new Map<string, { readonly offset: number; readonly nonce: string }>();
  return (recorded) => {
    const line = withTime(recorded);
    const channel = /order_book:\d+/.exec(line)?.[0];
    const parts = UPDATE.exec(line);
    if (channel === undefined || parts === null || line.includes('begin_nonce')) return line;
    const [text, offset = '', nonce = '', end = ''] = parts;
    const before = last.get(channel);
    last.set(channel, { offset: Number(offset), nonce });
    // Offsets grow by one: where one is missing, the chain is broken as it was.
    if (!line.includes('update/order_book') || before?.offset !== Number(offset) - 1) return line;
    const quote = line.includes('\\"offset\\"') ? '\\"' : '"';
    return line.replace(text, `${text.slice(0, -end.length)},${quote}begin_nonce${quote}:${before.nonce}${end}`);
  };
}

/** The moment of recording is the closest there is to a time that was not told. */
function withTime(line: string): string {
  const recordedAtS = RECORDED_AT.exec(line)?.[1];
  if (recordedAtS === undefined || line.includes('"timestamp')) return line;
  return line.replace(
    STATISTICS,
    (text, quote: string) => `${quote}timestamp${quote}:${Math.floor(Number(recordedAtS) * 1_000)},${text}`,
  );
}
