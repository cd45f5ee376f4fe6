/** The first Ctrl-C (or SIGTERM) asks to stop, the second one insists. */

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Resolves with true when somebody asks to stop, with false when `finished` comes first. */
export async function untilStopped(finished: Promise<unknown> = new Promise(() => {})): Promise<boolean> {
  const stop = Promise.withResolvers<boolean>();
  const insist = () => process.exit(130);
  const ask = () => {
    stop.resolve(true);
    for (const signal of signals) process.on(signal, insist);
  };
  for (const signal of signals) process.once(signal, ask);
  try {
    return await Promise.race([stop.promise, finished.then(() => false)]);
  } finally {
    for (const signal of signals) process.off(signal, ask);
  }
}
