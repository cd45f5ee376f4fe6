/**
 * Families of small books, each about one thing that clearing can get wrong. Powers are a few steps of a lot from 1 kW to 1 MW (or of no
 * lot), prices whole, so that exact answers are short fractions.
 */

import { checkBook } from '../../../src/book/check-book.ts';
import { type Book, parseBook } from '../../../src/market/book.ts';
import { AuctionError } from '../../../src/market/errors.ts';
import { capacities, flowBased, lossyRing, nodal, ramps } from './networks.ts';
import { complexOrders, relatedOrders } from './orders.ts';
import { limits, Scene } from './scene.ts';

const times = (count: number, draw: () => void): void => {
  for (let i = 0; i < count; i++) draw();
};

const negative = Array.from({ length: 13 }, (_, i) => i * 10 - 80);

/** A drawn scene by seed. */
export const families: Readonly<Record<string, (seed: number) => Scene>> = {
  kilowatts(seed) {
    const scene = new Scene(seed, { zones: seed % 3 === 0 ? 2 : 1 });
    if (scene.zones.length > 1) scene.ring();
    times(scene.dice.whole(1, 5), () =>
      scene.dice.pick([() => scene.limit(), () => scene.curve(), () => scene.block()])(),
    );
    return scene;
  },
  limits(seed) {
    const scene = new Scene(seed, { zones: 1 + (seed % 2), prices: [limits.min, limits.max, 20, 80] });
    if (scene.zones.length > 1) scene.ring();
    times(scene.dice.whole(1, 6), () =>
      scene.dice.pick([() => scene.limit(), () => scene.curve(), () => scene.block()])(),
    );
    return scene;
  },
  'slopes to the cap'(seed) {
    const scene = new Scene(seed, { prices: [20, 50, 80] });
    const { dice } = scene;
    times(dice.whole(1, 3), () => {
      const [high, low] = [dice.whole(0, 20), dice.whole(-20, 0)].map((steps) => steps + dice.whole(-5, 5));
      const [top, bottom] = [Math.max(high!, low!), Math.min(high!, low!)];
      const points = [
        { price: dice.pick([limits.min, 0, 40]), power: scene.mw(top) },
        { price: limits.max, power: scene.mw(bottom) },
      ];
      scene.add({ kind: 'curve', shape: 'linear', period: 1, points });
    });
    times(dice.whole(0, 3), () =>
      dice.chance(0.7) ? scene.limit() : scene.block({ from: 1, to: 1, profile: undefined, power: scene.power() }),
    );
    return scene;
  },
  ties(seed) {
    const scene = new Scene(seed, { zones: 1 + (seed % 2), periods: 1 + (seed % 2), prices: [20, 40], mostSteps: 2 });
    if (scene.zones.length > 1) scene.ring();
    times(scene.dice.whole(2, 7), () =>
      scene.dice.pick([() => scene.limit(), () => scene.curve(), () => scene.block()])(),
    );
    return scene;
  },
  'negative with losses'(seed) {
    const scene = new Scene(seed, { zones: 2 + (seed % 2), prices: negative });
    const loss = () => ({ loss: scene.dice.pick([0, 0.02, 0.1]), tariff: scene.dice.pick([0, 0, 5]) });
    for (const [i, zone] of scene.zones.slice(1).entries()) scene.line(scene.zones[i]!, zone, loss());
    times(scene.dice.whole(1, 6), () =>
      scene.dice.pick([() => scene.limit(), () => scene.limit(), () => scene.curve(), () => scene.block()])(),
    );
    return scene;
  },
  resolutions(seed) {
    const hours = seed % 5 === 0 ? 2 : 1;
    const prices = [...negative, limits.min, limits.max];
    const scene = new Scene(seed, { zones: 1 + (seed % 2), periods: 4 * hours, resolution: 'PT15M', prices });
    const { dice } = scene;
    if (scene.zones.length > 1) scene.ring();
    times(dice.whole(1, 7), () => {
      const longer = (resolution: string, most: number) => ({ resolution, period: dice.whole(1, most) });
      const length = dice.pick([{}, longer('PT30M', 2 * hours), longer('PT60M', hours)]);
      const inHours = { profile: undefined, resolution: 'PT60M', from: 1, to: hours, power: scene.power() };
      dice.pick([
        () => scene.limit(length),
        () => scene.curve(undefined, length),
        () => scene.block(dice.chance(0.3) ? inHours : {}),
      ])();
    });
    return scene;
  },
  ramps,
  'flow-based': flowBased,
  ratios(seed) {
    const scene = new Scene(seed, { periods: 1 + (seed % 2) });
    times(scene.dice.whole(1, 4), () => scene.block({ minAcceptance: scene.dice.pick([0, 0.3333333333333333]) }));
    times(scene.dice.whole(0, 3), () => (scene.dice.chance(0.7) ? scene.limit() : scene.curve()));
    return scene;
  },
  parents(seed) {
    const scene = new Scene(seed, { periods: 1 + (seed % 2) });
    const zone = { zone: 'A' };
    const parent = scene.block(zone);
    const child = scene.block({ ...zone, linkedTo: parent });
    times(scene.dice.whole(0, 2), () => scene.block({ ...zone, linkedTo: scene.dice.pick([parent, child]) }));
    times(scene.dice.whole(1, 4), () => scene.limit());
    return scene;
  },
  sparse(seed) {
    const scene = new Scene(seed, { zones: 1 + (seed % 3), periods: 1 + (seed % 4) });
    if (scene.zones.length > 1 && scene.dice.chance(0.7)) scene.ring();
    const side = scene.dice.pick([{ side: 'buy' }, { side: 'sell' }, {}]);
    times(scene.dice.whole(1, 4), () =>
      scene.dice.pick([() => scene.limit(side), () => scene.block(side), () => scene.curve()])(),
    );
    return scene;
  },
  complex(seed) {
    const scene = new Scene(seed, { periods: 2 + (seed % 3) });
    complexOrders(scene, scene.dice.whole(1, 2));
    times(scene.dice.whole(2, 5), () => scene.limit());
    return scene;
  },
  relations(seed) {
    const scene = new Scene(seed, { periods: 1 + (seed % 3) });
    relatedOrders(scene, scene.dice.whole(1, 2));
    times(scene.dice.whole(1, 5), () => (scene.dice.chance(0.8) ? scene.limit() : scene.curve()));
    return scene;
  },
  nodal,
  'lossy rings': lossyRing,
  capacities,
  soup(seed) {
    const [zones, mixed] = [1 + (seed % 3), seed % 5 === 0];
    const setting = { zones, prices: [...negative, limits.min, limits.max] };
    const scene = new Scene(
      seed,
      mixed ? { ...setting, periods: 4, resolution: 'PT15M' } : { ...setting, periods: 1 + (seed % 3) },
    );
    const { dice } = scene;
    const field = () => ({
      loss: dice.pick([0, 0, 0, 0, 0, 0.02]),
      tariff: dice.pick([0, 0, 0, 5]),
      ramp: dice.pick([null, null, scene.mw(dice.whole(0, 20))]),
    });
    if (zones > 1) scene.ring(field);
    times(dice.whole(1, 5), () => {
      const length = mixed && dice.chance(0.4) ? { resolution: 'PT60M', period: 1 } : {};
      dice.pick([
        () => scene.limit(length),
        () => scene.limit(length),
        () => scene.curve(undefined, length),
        () => scene.block(),
      ])();
    });
    if (dice.chance(0.3)) relatedOrders(scene, 1);
    if (dice.chance(0.2)) complexOrders(scene, 1);
    return scene;
  },
};

/** The book of a seed: the first of its draws that the house would take. */
export function bookOf(family: string, seed: number): Book {
  for (let attempt = 0; attempt < 50; attempt++) {
    const book = firstDraw(family, seed + attempt * 1_000_003);
    if (book !== undefined) return book;
  }
  throw new Error(`${family}, seed ${seed}: fifty draws, and no book`);
}

/** What a seed draws at once; undefined where the house would not take it. */
export function firstDraw(family: string, seed: number): Book | undefined {
  try {
    const drawn = families[family]!(seed).book(`${family.replaceAll(' ', '-')}-${seed}`);
    // What is undefined in the draw is not there in the book.
    const book = parseBook(JSON.parse(JSON.stringify(drawn)));
    checkBook(book);
    return book;
  } catch (error) {
    if (error instanceof AuctionError) return undefined;
    throw error;
  }
}
