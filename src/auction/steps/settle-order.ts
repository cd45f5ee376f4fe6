/** Settlement of a single order, as one page holds many: an accepted one goes into the archive, a rejected one is an error. */

import * as z from 'zod';
import { canonical } from '../../book/canonical.ts';
import { AuctionError } from '../../market/errors.ts';
import { orderStatus } from '../../market/result.ts';
import type { Ports } from '../ports.ts';

/** An order as clearing answers it; what else it says of itself is kept. */
export const singleOrder = z.looseObject({
  status: orderStatus,
  power: z.union([z.number(), z.array(z.number())]),
});

/**
 * @returns where it lies: `orders/order_{milliseconds since 1970}.json`
 * @throws OrderRejected for a rejected order, which whoever asked has to tell of
 */
export async function settleOrder(ports: Ports, order: z.output<typeof singleOrder>): Promise<{ key: string }> {
  if (order.status === 'rejected') throw new OrderRejected('Order status is rejected!');
  const text = canonical(order);
  // Two orders may meet in a millisecond, and nothing in the archive is ever overwritten.
  for (let time = ports.clock.now().getTime(); ; time++) {
    const key = `orders/order_${time}.json`;
    try {
      await ports.archive.write(key, text);
      return { key };
    } catch (error) {
      if (!(error instanceof AuctionError && error.code === 'conflict')) throw error;
    }
  }
}

export class OrderRejected extends Error {
  override readonly name = 'OrderRejected';
}
