/**
 * A container's life in a process of its own: load a function's bundle, have its first answer, then answer the rest.
 *
 * It is told by a message: the bundle and its events. It tells by one: milliseconds of loading, of the first answer, and of the
 * rest together, with the processor's part of those (the other part is waiting for the store).
 */

// Lambda's own runtime has loaded it, too, before a function begins.
import 'node:http';
import type { Life, Lived } from './cloud.ts';

process.once('message', async ({ bundle, events }: Life) => {
  const context = { functionName: 'bench', awsRequestId: 'bench', getRemainingTimeInMillis: () => 10_000 };
  const start = process.cpuUsage();
  const begin = performance.now();
  const { handler } = (await import(bundle)) as { handler: (event: unknown, context: unknown) => Promise<unknown> };
  const loaded = performance.now();
  const answer = await handler(events[0], context);
  const answered = performance.now();
  const cpu = process.cpuUsage();
  const coldCpuMs = (cpu.user + cpu.system - start.user - start.system) / 1000;
  for (const event of events.slice(1)) await handler(event, context);
  const { user, system } = process.cpuUsage(cpu);
  const lived: Lived = {
    loadMs: loaded - begin,
    answerMs: answered - loaded,
    coldCpuMs,
    restMs: performance.now() - answered,
    restCpuMs: (user + system) / 1000,
    answer,
  };
  process.send!(lived, () => process.exit(0));
});
