/** The first Ctrl-C (or SIGTERM) asks to stop, the second one insists. */

const signals = ['SIGINT', 'SIGTERM'] as const;
/** How often it is looked whether whoever started this is still there, in ms. */
const lookEveryMs = 200;

/** Resolves with true when somebody asks to stop, with false when `finished` comes first. */
export async function untilStopped(finished: Promise<unknown> = new Promise(() => {})): Promise<boolean> {
  const stop = Promise.withResolvers<boolean>();
  const insist = () => process.exit(130);
  const ask = () => {
    stop.resolve(true);
    for (const signal of signals) process.on(signal, insist);
  };
  for (const signal of signals) process.once(signal, ask);
  const watch = watchStarter(() => stop.resolve(true));
  try {
    return await Promise.race([stop.promise, finished.then(() => false)]);
  } finally {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, ask);
  }
}

/**
 * npx and npm start a command through a shell. Told to end, they end the shell and nobody tells the command, which then belongs to
 * another parent: what a supervisor has stopped would go on.
 */
function watchStarter(onGone: () => void): NodeJS.Timeout | undefined {
  if (process.env.npm_command === undefined) return undefined;
  const starter = process.ppid;
  return setInterval(() => {
    if (process.ppid !== starter) onGone();
  }, lookEveryMs);
}
