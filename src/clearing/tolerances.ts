/**
 * Every tolerance of the engine, and the only place where one is written down (`tolerances.test.ts` looks).
 *
 * They are for numbers of the problem's own units (`model/units.ts`), in which the largest order has a hundred at least: so a book of watts is held
 * as tightly as one of gigawatts. What is asked of the answers of HiGHS is wider than what it closes its rows and bounds to (`inSolver.feasible`).
 */

/** Currency/MWh. */
export const inPrice = {
  /** Two prices, or a price and a limit, are one. */
  same: 1e-6,
  /** A volume's price along a straight line, and the program's: as near as a solver's duals can be held to. */
  onCurve: 1e-7,
  /** Of a line: as near to its end a price is there, where the line is so short that two of its prices would be one. */
  ofLine: 1e-3,
  /** A decision that loses less does not. */
  noLoss: 1e-7,
  /** An order's limit is the price of a linear program's duals, which add up several. */
  atTheMoney: 1e-5,
  /** A price of a rule that never gives way may be off by so much, and one that is off by more has given way. */
  held: 1e-5,
  yielded: 1e-4,
  /** Who is executed at less loses. */
  loss: 1e-4,
  /** Bounds and published prices that move by less have not moved. */
  moved: 1e-9,
  /** A price that rules tie to others is found as near. */
  found: 1e-8,
  /** Of a tick: as near to the half a price is rounded away from zero. */
  halfTick: 1e-7,
} as const;

/** MW. */
export const inPower = {
  /** The nearest point closes balances and bounds to this. */
  balance: 1e-7,
  /** What a program leaves along a line that hardly rises, beside its end. */
  settled: 1e-5,
  /** A net supply is at an end of a curve's piece. */
  same: 1e-8,
  /** Of a volume: nothing, or all of it. */
  whole: 2e-6,
  /** A volume this much larger is more that is traded. */
  more: 1e-5,
  /** A flow is at its limit. */
  full: 1e-5,
  /** Less is nothing: of what is missing, open, or has room. */
  nothing: 1e-6,
  /** A step, a range or a flow in a ring is empty. */
  empty: 1e-9,
} as const;

/** Shares: ratios of blocks, of volumes, of lots. */
export const inRatio = {
  /** A decision's ratio is whole, if that is less than a part of a lot; and what a solver leaves of nothing. */
  whole: 1e-6,
  noise: 1e-10,
  /** A ratio is at an end of its range. */
  same: 1e-7,
  /** Of the limit of a row: so near to it the row binds, however small it is. */
  ofLimit: 1e-2,
  /** A published ratio is 0 or 1; a row of ratios holds. */
  exact: 1e-9,
  /** A share that is computed is 0 or 1. */
  share: 1e-12,
  /** Of a lot: so near to a whole number of lots it is one. */
  lots: 1e-6,
} as const;

/** Currency, or currency per hour. */
export const inMoney = {
  /** What an answer has to be worth more to be better, and of its worth. */
  better: 1e-6,
  betterShare: 1e-10,
  /** Gains of a column that are none. */
  none: 1e-7,
  /** A minimum income, or a gain held back, that is missed by less is met. */
  met: 1e-3,
  /** Gains this small decide nothing at a first look. */
  nearly: 1e-3,
  /** Currency/MWh of an order's size: less than it is no gain. */
  perMwh: 1e-6,
  /** The same of what a lot more or less changes, which rounding explains. */
  perMwhInLots: 1e-3,
} as const;

/**
 * What a proof is written in: steps of a ratio and of a power, a step that is one, and what adding loses of so many of them. Where a step has to be
 * just a share of its order, ratios are coarser: times a power to the watt they are whole steps of `product`.
 */
export const onGrid = { ratio: 1e-12, power: 1e-8, same: 1e-4, lost: 1e-12, coarseRatio: 1e-3, product: 1e-9 } as const;

/** Weights of a MW in programs that choose among equals. */
export const weights = {
  /** Of a flow, or of what is lost, beside an order. */
  little: 1e-3,
} as const;

/** The nearest point (`solver/nearest.ts`), and factors of programs. */
export const inSolver = {
  /**
   * What HiGHS may leave of rows, bounds and reduced costs, a hundredth of its own default: of a ratio of 100 MW, or of a line with a watt on it, that
   * would be many watts, or many ticks.
   */
  feasible: 1e-9,
  /** What an answer may be off (`solver/residual.ts`); HiGHS closes its own scaled program, not ours. */
  residual: 1e-6,
  /** A factor of a row, or a divisor, is none. */
  noFactor: 1e-12,
  leastDivisor: 1e-9,
  /** Primal regularisation; steepness of the proximal term. */
  regularisation: 1e-6,
  proximal: 1e-4,
  /** Stationarity, complementarity (of prices, of prices that give way, of volumes), distance from a bound, and of a pivot that is none. */
  slope: 1e-9,
  product: 1e-16,
  productGivingWay: 1e-12,
  atBound: 1e-9,
  /** Of a tolerance: counted from a point that closes the rows, they are closed so much better. */
  fromPoint: 1e-2,
  pivot: 1e-13,
} as const;
