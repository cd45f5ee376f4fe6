/** Proofs bent at random: they keep their form, and mostly stay whole trees. */

import type { Proof } from '../../src/market/proof.ts';

/** One change of a proof that keeps its form. */
export function bend({ groups }: Proof, dice: () => number): void {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(dice() * list.length)]!;
  const { nodes, prices } = pick(groups);
  const node = pick(nodes);
  const anyPrices = Math.floor(dice() * prices.length);
  const swap = <T>(list: T[]) => {
    const [i, j] = [Math.floor(dice() * list.length), Math.floor(dice() * list.length)];
    if (list.length > 0) [list[i], list[j]] = [list[j]!, list[i]!];
  };
  switch (pick(['price', 'row', 'node', 'kind'])) {
    case 'price': {
      const { cells } = pick(prices);
      const cell = Math.floor(dice() * cells.length);
      cells[cell] = pick([0, -cells[cell]!, cells[cell]! * 1e6, cells[cell]! + (dice() - 0.5) * 40]);
      return;
    }
    case 'row': {
      const rows = pick(prices).rows;
      if (rows.length > 0) pick(rows)[1] *= pick([-1, 0, 2, 1e6]);
      return;
    }
    case 'kind': {
      const index = nodes.indexOf(node);
      if (node.kind === 'bound' || node.kind === 'infeasible')
        nodes[index] = { kind: pick(['bound', 'infeasible'] as const), at: anyPrices };
      return;
    }
    default:
      if ('at' in node) Object.assign(node, { at: pick([node.at, anyPrices]) });
      if (node.kind === 'decide') Object.assign(node, { on: node.off, off: node.on });
      if (node.kind === 'fixed') {
        if (dice() < 0.5) Object.assign(node, { on: node.off, off: node.on });
        else Object.assign(node, { on: node.on.slice(1) });
      }
      if (node.kind !== 'unsupported') return;
      swap(node.off);
      if (node.scaled.values.length > 0) pick(node.scaled.values)[1] *= pick([0, 0.5, 1.0000009, 1.2]);
      if (dice() < 0.3) Object.assign(node, { core: node.core.slice(1) });
  }
}
