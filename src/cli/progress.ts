/** A progress bar on stderr, for what takes over a second, and only when somebody watches. */

import type { SingleBar } from 'cli-progress';

export interface Progress {
  /** How much is done; `step` says what is going on. */
  update(done: number, step?: string): void;
  stop(): void;
}

const silent: Progress = { update() {}, stop() {} };
const quickMs = 1000;

/**
 * @param total what `update` counts up to
 * @param options.atOnce show it from the start: the work is known to take long, or blocks the process
 */
export async function startProgress(
  title: string,
  total: number,
  { atOnce = false }: { atOnce?: boolean } = {},
): Promise<Progress> {
  if (process.stderr.isTTY !== true || total === 0) return silent;
  const { default: cliProgress } = await import('cli-progress');
  const start = Date.now();
  let bar: SingleBar | undefined;
  return {
    update(done, step = '') {
      if (bar) return bar.update(done, { step });
      if (!atOnce && Date.now() - start < quickMs) return;
      const format = `${title} {bar} {percentage}% {step}`;
      bar = new cliProgress.SingleBar(
        { format, stream: process.stderr, hideCursor: null, clearOnComplete: true, gracefulExit: false },
        cliProgress.Presets.shades_classic,
      );
      bar.start(total, done, { step });
    },
    stop: () => bar?.stop(),
  };
}
