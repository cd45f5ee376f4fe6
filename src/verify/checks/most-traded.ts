/** Of volumes that are worth the same, the most is traded (market rules, 5.3): INV-27 between all orders and zones that have to do with each other. */

import type { Findings } from '../check.ts';
import type { Column } from '../settled/program.ts';
import type { SettledPart } from '../settled/settled.ts';
import type { View } from '../view/view.ts';

/** MW that a unit of a column buys. */
const boughtBy = ({ order, cells }: Column): number =>
  order === undefined ? 0 : cells.reduce((sum, [, mw]) => sum + Math.max(0, -mw), 0);

export function checkMostTraded(view: View, found: Findings): void {
  const known = new Set(view.due.flatMap(({ z, t, price }) => (price === undefined ? [] : [z * view.periods + t])));
  for (const settled of view.settled.parts)
    if (settled.part.cells.every((cell) => known.has(cell))) checkPart(view, settled, found);
}

function checkPart(view: View, { program: { columns }, part, volumes }: SettledPart, found: Findings): void {
  const open = new Set(volumes!.open.filter((c) => columns[c]!.order !== undefined));
  const side = (sign: number) =>
    [...open].filter((c) => columns[c]!.bend === 0 && columns[c]!.cells.every(([, mw]) => mw * sign > 0));
  const [sells, buys] = [side(1), side(-1)];
  if (buys.length === 0 || sells.length === 0 || sells.length + buys.length < open.size) return;
  // A curve that could trade on either side does on one, and what loses power on its way is not traded for that.
  const sellers = new Set(sells.map((c) => columns[c]!.order));
  if (buys.some((c) => sellers.has(columns[c]!.order))) return;
  const isLossy = part.columns.some(
    (c) =>
      columns[c]!.cells.reduce((sum, [, mw]) => sum + mw, 0) < 0 &&
      columns[c]!.order === undefined &&
      columns[c]!.cells.length > 1,
  );
  if (isLossy) return;
  const most = volumes!.most((c) => (open.has(c) ? boughtBy(columns[c]!) : 0));
  if (most === undefined) return;
  const told = buys.reduce((sum, c) => sum + boughtBy(columns[c]!) * columns[c]!.told, 0);
  const cellsOf = (of: readonly number[]) => new Set(of.flatMap((c) => columns[c]!.cells.map(([cell]) => cell))).size;
  const lots = Math.min(cellsOf(sells), cellsOf(buys)) - 1;
  const isWhole = Math.abs(most / view.eq - Math.round(most / view.eq)) < 1 / 100;
  const off = (lots + (isWhole ? 1 / 2 : 1)) * view.eq;
  const where = `${view.book.zones[Math.floor(part.cells[0]! / view.periods)]}/${(part.cells[0]! % view.periods) + 1}`;
  found.expect(told > most - off, where, () => `${told} MW are traded at the money, ${most} could be`);
}
