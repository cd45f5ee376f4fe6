/** A problem without the order that has it: whoever checks the request adds index and record_id. */

import type { Problem } from './errors.ts';

export type Fault = Omit<Problem, 'index' | 'record_id'>;
export const fault = (field: string, code: string, message: string): Fault => ({ field, code, message });

/** A value as a message shows it, cut where it is long. */
export const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 100) ?? 'nothing';
