/**
 * How large and how small a number of an order, a market or a book may be. The schemas say it, and so does the OpenAPI document.
 *
 * The widest of these still clear: what a market takes is at most a thousand million ticks or lots wide, so that doubles count them
 * exactly with room for sums (`market.ts`). A market of another scale quotes in a larger unit of its currency.
 */

/** currency/MWh, either sign. */
export const mostPrice = 1e6;
/** MW of one order in one period. */
export const mostPower = 1e6;
/** MW of a line, a constraint or a ramp, either sign. */
export const mostFlow = 1e7;
/** MW: a watt. Powers of books without a lot are rounded to it. */
export const leastPower = 1e-6;
/** currency/MWh, of a tick; MW, of a lot. */
export const leastStep = 1e-6;
export const mostStep = 1e3;
/** Steps between a market's price limits, or lots in its largest power. */
export const mostSteps = 1e9;
/** Money that one order may be worth in an hour: largest power at the limit price. */
export const mostMoneyPerHour = 1e10;
/** Money in a term of an order. */
export const mostMoney = 1e10;
/** Factor of a zone in a constraint. */
export const mostFactor = 1e3;
/** A least ratio is 0 or at least this. */
export const leastRatio = 1e-3;
/** Market time units of an auction: a year of hours, three months of quarters. */
export const mostPeriods = 10_000;
/** Blocks from the first parent to the last child. */
export const mostGenerations = 50;
/** Cells (start x period) of a flexible order. */
export const mostShifted = 20_000;
/** Characters of an order's canonical JSON, so that every store can keep it as one item. */
export const mostCharacters = 300_000;
