/** The same market seen from the other side: who sold buys, what was dear is cheap, what flowed there flows back. */

import type { Book } from '../../src/market/book.ts';
import type { CurveOrder } from '../../src/market/order.ts';

/** Lines with losses have no mirror image: what is lost is lost on the side that receives. */
export function mirrored(book: Book): Book {
  const { min, max } = book.priceLimits;
  return {
    ...book,
    priceLimits: { ...book.priceLimits, min: -max, max: -min },
    lines: book.lines.map((line) => ({ ...line, capacity: line.reverse, reverse: line.capacity })),
    orders: book.orders.map((order) => {
      if (order.kind === 'limit') return { ...order, side: order.side === 'buy' ? 'sell' : 'buy', price: -order.price };
      if (order.kind === 'curve') return { ...order, points: pointsOf(order, max) };
      return order;
    }),
  };
}

function pointsOf({ points, shape }: CurveOrder, max: number): CurveOrder['points'] {
  const seen = points.map(({ price, power }) => ({ price: -price, power: -power })).reverse();
  if (shape === 'linear') return seen;
  // A step curve holds a point's power above its price; seen from the other side that is below it.
  const held = seen.map(({ price }, i) => ({ price, power: seen[i + 1]?.power ?? seen[i]!.power }));
  return [{ price: -max, power: seen[0]!.power }, ...held];
}
