/** Prices as a chart of characters, a line per zone. */

import asciichart from 'asciichart';
import type { Result } from '../../market/result.ts';
import { figure } from '../output.ts';

/** Rows; fewer where colours put all zones into one chart, so that a round is seen whole in 24 lines. */
const height = { apart: 8, together: 6 } as const;
/** Columns per period: wide enough to see, narrow enough for 80 columns, 24 periods and the labels. */
const widen = 3;
const labelWidth = 6;
const colors = [asciichart.cyan, asciichart.yellow, asciichart.magenta];

/**
 * @param pretty colours tell the zones apart; without them there is a chart for each
 * @param hours hour of the day of each period
 */
export function priceChart(prices: Result['prices'], hours: readonly number[], pretty: boolean): string {
  const margin = ' '.repeat(labelWidth + 2);
  const axis =
    margin +
    hours
      .map((hour) => (hour % 3 === 0 ? `${hour}h` : '').padEnd(widen))
      .join('')
      .trimEnd();
  const zones = alike(prices);
  const all = zones.flatMap(({ series }) => series);
  const range = { min: Math.min(...all), max: Math.max(...all) };
  if (!pretty)
    return zones.map(({ name, series }) => `${name}\n${plot([series], [], range, height.apart)}\n${axis}`).join('\n');
  const legend = zones.map(({ name }, i) => `${colors[i % colors.length]}── ${name}\x1b[0m`).join('   ');
  const lines = zones.map(({ series }) => series);
  return `${plot(lines, colors, range, height.together)}\n${axis}\n${margin}${legend}`;
}

/** Zones with the same prices in every period share a line. */
function alike(prices: Result['prices']): { name: string; series: readonly number[] }[] {
  const groups = Map.groupBy(Object.entries(prices), ([, series]) => series.join());
  return [...groups.values()].map((same) => ({ name: same.map(([zone]) => zone).join(', '), series: same[0]![1] }));
}

function plot(
  lines: readonly (readonly number[])[],
  colors: string[],
  { min, max }: { min: number; max: number },
  height: number,
): string {
  // A flat line has no height of its own.
  const margin = max - min < 1 ? 1 : 0;
  return asciichart.plot(
    lines.map((series) => series.flatMap((value) => new Array<number>(widen).fill(value))),
    {
      height,
      min: min - margin,
      max: max + margin,
      colors,
      format: (value) => figure(value, 1).padStart(labelWidth),
    },
  );
}
