/** Books that are not right yet, by name, each with what is wrong. */

const rounding =
  'whole lots within the limits of branches: on a steep line a volume is rounded by more than a lot, so its price is not said (INV-06, INV-25)';

const reason = 'a load that gets nothing at a price 0.000003 above its own is told partial_at_the_money (REASON)';

export const known: Readonly<Record<string, string>> = {
  'case9 linear, 0.7 of the free flows, lots of 0.1': rounding,
  'case9 linear, 0.8 of the free flows, lots of 0.1': rounding,
  'case9 linear, 0.95 of the free flows, lots of 0.1': rounding,
  'case9 capped, 0.7 of the free flows, lots of 0.1': rounding,
  'case9 capped, 0.8 of the free flows, lots of 0.1': rounding,
  'case9 capped, 0.95 of the free flows, lots of 0.1': rounding,
  'case118 linear, 1.2 of the free flows, no lot': 'prices of buses are a millionth apart (INV-20: 0.000003 to earn)',
  'case300 linear, 1.2 of the free flows, no lot': 'the same (INV-20: 0.0006 to earn)',
  'case57 linear, 0.8 of the free flows, no lot': reason,
  'case300 linear, 0.7 of the free flows, no lot': reason,
  'case30 elastic, 0.7 of the free flows, lots of 0.1': rounding,
};
