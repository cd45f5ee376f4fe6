/**
 * Notices to topics: rejected orders to one, failures to another, what went well to a third. Each message says id, kind, auction, its
 * state and sequence, and whose order it is about, among its attributes: for subscribers that filter, and drop what comes late.
 *
 * What was published is remembered for a while, so that a step of the workflow that runs again tells only what it had not told.
 * A process that dies between telling and remembering tells twice: the id is how a subscriber knows.
 */

import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Clock, Notice, Notices } from '../../auction/ports.ts';
import { sha256 } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Database, Key } from './database.ts';
import { pause } from './pause.ts';
import { unavailable } from './unavailable.ts';

export interface NoticesOptions {
  readonly client: SNSClient;
  readonly topics: Readonly<Record<Notice['kind'], string>>;
  readonly database: Database;
  /** Where it is remembered what was told. */
  readonly table: string;
  readonly clock: Clock;
}

/** What one call takes; each notice is far below the 256 kB of a message. */
const batchSize = 10;
const attempts = 8;
const rememberedSeconds = 7 * 24 * 3600;

/** A notice's id may be longer than a key should be. */
const keyOf = ({ id }: Notice): Key => ({ pk: `notice#${sha256(id)}`, sk: 'notice' });

export function openNotices({ client, topics, database, table, clock }: NoticesOptions): Notices {
  /** @returns those that the topic did not take */
  async function publish(topic: string, notices: readonly Notice[]): Promise<Notice[]> {
    const text = (value: string) => ({ DataType: 'String', StringValue: value });
    const command = new PublishBatchCommand({
      TopicArn: topic,
      PublishBatchRequestEntries: notices.map((notice, index) => ({
        Id: String(index),
        Message: JSON.stringify(notice),
        MessageAttributes: {
          ...{ id: text(notice.id), kind: text(notice.kind), auction: text(notice.auction), state: text(notice.state) },
          sequence: { DataType: 'Number', StringValue: String(notice.sequence) },
          ...('participant' in notice && { participant: text(notice.participant) }),
        },
      })),
    });
    try {
      const { Failed = [] } = await client.send(command);
      return Failed.map(({ Id }) => notices[Number(Id)]!);
    } catch (error) {
      throw unavailable('the topic', error);
    }
  }

  async function publishAll(topic: string, notices: readonly Notice[]): Promise<void> {
    let left = notices;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0) await pause(attempt);
      if (attempt === attempts) throw new AuctionError('unavailable', `the topic did not take ${left.length} notices`);
      left = await publish(topic, left);
    }
    const ttl = Math.ceil(clock.now().getTime() / 1000) + rememberedSeconds;
    await database.putMany(
      table,
      notices.map((notice) => ({ ...keyOf(notice), ttl })),
    );
  }

  return {
    async send(notices) {
      const told = new Set((await database.getMany(table, notices.map(keyOf))).map(({ pk }) => pk as string));
      const news = new Map(
        notices.filter((notice) => !told.has(keyOf(notice).pk!)).map((notice) => [notice.id, notice]),
      );
      for (const [topic, own] of Map.groupBy(news.values(), ({ kind }) => topics[kind])) {
        for (let from = 0; from < own.length; from += batchSize)
          await publishAll(topic, own.slice(from, from + batchSize));
      }
    },
  };
}
