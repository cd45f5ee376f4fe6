/** The part of asciichart that is used here; the package brings no types. */
declare module 'asciichart' {
  export interface PlotOptions {
    height?: number;
    min?: number;
    max?: number;
    colors?: string[];
    format?: (value: number) => string;
  }
  const asciichart: Record<'cyan' | 'yellow' | 'magenta', string> & {
    plot(series: readonly (readonly number[])[], options?: PlotOptions): string;
  };
  export default asciichart;
}
