/** Prices as a chart of characters, a line per zone. */

import asciichart from 'asciichart';
import type { Result } from '../../market/result.ts';
import { figure } from '../output.ts';

const height = 9;
/** Columns per period: wide enough to see, narrow enough for 80 columns and 24 periods. */
const widen = 3;

/**
 * @param pretty colours tell the zones apart; without them the zones are drawn one below the other
 * @param hours hour of the day of each period
 */
export function priceChart(prices: Result['prices'], hours: readonly number[], pretty: boolean): string {
  const colors = [asciichart.cyan, asciichart.yellow, asciichart.magenta];
  const zones = Object.entries(prices);
  const axis = `${' '.repeat(labelWidth + 2)}${hours.map((hour) => (hour % 3 === 0 ? `${hour}h`.padEnd(widen) : ' '.repeat(widen))).join('')}`;
  if (!pretty) {
    return zones.map(([zone, series]) => `${zone}\n${plot([series], [])}\n${axis}`).join('\n');
  }
  const legend = zones.map(([zone], i) => `${colors[i % colors.length]}── ${zone}\x1b[0m`).join('   ');
  return `${plot(
    zones.map(([, series]) => series),
    colors,
  )}\n${axis}\n${' '.repeat(labelWidth + 2)}${legend}`;
}

const labelWidth = 8;

const plot = (series: readonly (readonly number[])[], colors: string[]): string => {
  const all = series.flat();
  const [min, max] = [Math.min(...all), Math.max(...all)];
  // A flat line has no height of its own.
  const margin = max - min < 1 ? 1 : 0;
  return asciichart.plot(
    series.map((values) => values.flatMap((value) => new Array<number>(widen).fill(value))),
    {
      height,
      min: min - margin,
      max: max + margin,
      colors,
      format: (value) => figure(value).padStart(labelWidth),
    },
  );
};
