/**
 * The right answer to a small book, in rational numbers and from the market rules alone: the best welfare that prices support, the prices
 * that support it, and the most volume. It knows nothing of the engine.
 *
 * Reading order: `oracle` tries every decision vector (`decisions.ts`); a program says what each is worth (`model.ts` with `orders.ts` and
 * `network.ts`, solved by `maximise.ts`, `answers.ts`), a second one which prices support it (`prices.ts`).
 *
 * Volumes here are not rounded to lots, nor prices to the tick.
 */

import type { Book } from '../../../src/market/book.ts';
import { type Answer, answersOf, mostTraded, withLessOpen } from './answers.ts';
import { decisionsOf } from './decisions.ts';
import { type GivenWay, hullOf, type Range, supportingPrices } from './prices.ts';
import { compare, most, over, type Rational, rational, text, times } from './rational.ts';

export interface Truth {
  /** In the currency. */
  readonly welfare: Rational;
  /** By zone and MTU, over all answers of that welfare. */
  readonly prices: Readonly<Record<string, readonly Range[]>>;
  /** MWh bought, the most of all these answers. */
  readonly volume: Rational;
  /** Record ids of what is on in each of these answers, and the shut directions of lossy lines. */
  readonly decisions: readonly string[];
  readonly givenWay: GivenWay;
  /** Whether each of these answers with the most volume is in whole lots, as it was found; true without a lot. */
  readonly isInLots: boolean;
  /** Whether one of them has a block that is partly executed, or a complex order held at a minimum that is in no lots. */
  readonly cutsOrder: boolean;
}

/** @returns undefined where nothing keeps the capacities, or no prices support anything whatever gives way */
export function oracle(book: Book): Truth | undefined {
  let answers = decisionsOf(book.orders).flatMap((decision) => answersOf(book, decision));
  // Which direction of a line with a loss is open is a decision like any other: where no prices support what flows, another is tried.
  for (; answers.length > 0; answers = answers.flatMap((answer) => withLessOpen(book, answer))) {
    const truth = bestSupported(book, answers);
    if (truth !== undefined) return truth;
  }
  return undefined;
}

function bestSupported(book: Book, answers: Answer[]): Truth | undefined {
  answers.sort((a, b) => compare(b.value, a.value));
  const traded = new Map<Answer, ReturnType<typeof mostTraded>>();
  for (const givenWay of [0, 1, 2, 3] as const) {
    const known = new Map<string, Range[] | undefined>();
    for (let from = 0, to = 0; from < answers.length; from = to) {
      while (to < answers.length && compare(answers[to]!.value, answers[from]!.value) === 0) to++;
      const supported = answers.slice(from, to).flatMap((answer) => {
        const most = traded.get(answer) ?? mostTraded(answer);
        traded.set(answer, most);
        // Answers that differ in shut directions only have the same prices where both carry nothing.
        const key = `${[...answer.decision].join(' ')} ${most.values.map(text).join(' ')}`;
        if (!known.has(key)) known.set(key, supportingPrices(answer.model, most.values, givenWay));
        const ranges = known.get(key);
        return ranges === undefined ? [] : [{ answer, ranges, ...most }];
      });
      if (supported.length > 0) return truthOf(book, supported, givenWay);
    }
  }
  return undefined;
}

function truthOf(
  book: Book,
  supported: readonly { answer: Answer; ranges: readonly Range[]; values: readonly Rational[]; volume: Rational }[],
  givenWay: GivenWay,
): Truth {
  const hull = hullOf(supported.map(({ ranges }) => ranges));
  const { model, value } = supported[0]!.answer;
  return {
    welfare: times(value, model.hours),
    prices: Object.fromEntries(
      book.zones.map((zone, z) => [zone, hull.slice(z * book.periods, (z + 1) * book.periods)]),
    ),
    volume: supported.map(({ volume }) => volume).reduce(most),
    decisions: supported.map(({ answer }) => wordsOf(answer)),
    givenWay,
    isInLots: supported.every(({ answer, values }) => isInLots(answer, values)),
    cutsOrder: supported.some(({ answer, values }) =>
      answer.model.variables.some(({ lower }, j) => {
        const value = values[j]!;
        if (answer.model.roles[j]!.isRatio) return !isWhole(value);
        return value.n > 0n && lower !== undefined && compare(value, lower) === 0 && !isInLots(answer, values, [j]);
      }),
    ),
  };
}

const isWhole = ({ d }: Rational): boolean => d === 1n;

/** Whether what these variables (all unless said) have in the balances is in whole lots. */
function isInLots({ model }: Answer, values: readonly Rational[], which = [...values.keys()]): boolean {
  const { lot } = model.book;
  if (lot === undefined) return true;
  const unit = rational(lot);
  return which.every((j) => {
    if (model.roles[j]!.isLoop && !isWhole(values[j]!)) return false;
    return model.variables[j]!.column.every(
      ([row, factor]) => row >= model.cells || isWhole(over(times(values[j]!, factor), unit)),
    );
  });
}

function wordsOf({ decision, shut }: Answer): string {
  const on = [...decision].filter(([, choice]) => choice !== false);
  const started = on.map(([id, choice]) => (choice === true ? id : `${id} from ${choice}`));
  return [...started, ...[...shut].map((direction) => `${direction} shut`)].join(', ');
}
