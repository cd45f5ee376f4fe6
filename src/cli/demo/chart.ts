/** Prices as a chart of characters, a line per zone. */

import asciichart from 'asciichart';
import type { Result } from '../../market/result.ts';
import { figure } from '../output.ts';

const height = 8;
/** Columns per period: wide enough to see, narrow enough for 80 columns and 24 periods. */
const widen = 3;
const labelWidth = 8;
const colors = [asciichart.cyan, asciichart.yellow, asciichart.magenta];

/**
 * @param pretty colours tell the zones apart; without them there is a chart for each
 * @param hours hour of the day of each period
 */
export function priceChart(prices: Result['prices'], hours: readonly number[], pretty: boolean): string {
  const margin = ' '.repeat(labelWidth + 2);
  const axis = margin + hours.map((hour) => (hour % 3 === 0 ? `${hour}h` : '').padEnd(widen)).join('');
  const zones = alike(prices);
  const all = zones.flatMap(({ series }) => series);
  const range = { min: Math.min(...all), max: Math.max(...all) };
  if (!pretty) return zones.map(({ name, series }) => `${name}\n${plot([series], [], range)}\n${axis}`).join('\n');
  const legend = zones.map(({ name }, i) => `${colors[i % colors.length]}── ${name}\x1b[0m`).join('   ');
  const lines = zones.map(({ series }) => series);
  return `${plot(lines, colors, range)}\n${axis}\n${margin}${legend}`;
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
      format: (value) => figure(value).padStart(labelWidth),
    },
  );
}
