/** The first Ctrl-C (or SIGTERM) asks to stop, the second one insists. */

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Resolves when somebody asks to stop, or when `finished` does. */
export async function untilStopped(finished?: Promise<unknown>): Promise<void> {
  const stop = Promise.withResolvers<void>();
  const insist = () => process.exit(130);
  const ask = () => {
    stop.resolve();
    for (const signal of signals) process.on(signal, insist);
  };
  for (const signal of signals) process.once(signal, ask);
  try {
    await Promise.race([stop.promise, finished ?? stop.promise]);
  } finally {
    for (const signal of signals) process.off(signal, ask);
  }
}
