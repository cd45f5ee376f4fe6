/** Cells whose orders at the money and flows are shared out together, and what decisions leave free of them. */

import type { Bounds } from '../relaxation/master.ts';

/** What the decisions leave of the columns' bounds, and of the rows. */
export type Free = Bounds & { readonly rows: readonly number[] };

/** A node's orders at the money on one side. */
export interface Marginal {
  readonly node: number;
  readonly side: 'buy' | 'sell';
  /** MW submitted at this price. */
  readonly volume: number;
  /** MW executed of it where that is not open. */
  readonly kept?: number;
}

/** What stays as the program has it although it is at the money: it would lose, or no prices would support it, with other volumes. */
export interface Kept {
  readonly decisions: ReadonlySet<number>;
  readonly nodes: ReadonlySet<number>;
}

/** Cells (zone * periods + MTU) that open flows, or orders at the money over several MTUs, join. */
export interface Cluster {
  readonly cells: readonly number[];
  readonly marginals: readonly Marginal[];
  /** Columns that gain nothing and have room: flows, blocks and steps at the money. */
  readonly columns: readonly number[];
  /** Rows over these columns. */
  readonly rows: readonly number[];
}

/** Zones of one MTU that open flows join. */
export type Island = Pick<Cluster, 'cells' | 'columns'>;
