/** Statements as CSV (RFC 4180): one trade a line, numbers as plain decimals, so that price * MW * hours gives each amount. */

import type { StatedTrade, Statement } from '../auction/money/statements.ts';
import { centsText, decimalText, exact } from '../market/amounts.ts';

const decimal = (value: number): string => decimalText(exact(value));

const fields: Readonly<Record<string, (statement: Statement, trade: StatedTrade) => string>> = {
  day: ({ day }) => day,
  market: ({ market }) => market,
  auction: (_, { auction }) => auction,
  participant: ({ participant = '' }) => participant,
  portfolio: ({ portfolio = '' }) => portfolio,
  record_id: (_, { record_id }) => record_id,
  kind: (_, { kind }) => kind,
  zone: (_, { zone }) => zone,
  start: (_, { start }) => start,
  end: (_, { end }) => end,
  side: (_, { side }) => side,
  power_mw: (_, { power }) => decimal(power),
  price: (_, { price }) => decimal(price),
  hours: (_, { hours }) => decimal(hours),
  energy_mwh: (_, { energy }) => decimal(energy),
  amount: (_, { amountCents }) => centsText(amountCents),
  currency: ({ currency }) => currency,
};

const names = Object.keys(fields).join(',');

/** None of these fields can have a comma, a quote or a line's end in it: names and numbers are checked at the door. */
export const statementsCsv = (statements: readonly Statement[]): string =>
  [
    names,
    ...statements.flatMap((statement) =>
      statement.trades.map((trade) =>
        Object.values(fields)
          .map((field) => field(statement, trade))
          .join(','),
      ),
    ),
    '',
  ].join('\r\n');
