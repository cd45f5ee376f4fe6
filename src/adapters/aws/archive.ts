/** Books, results and settled orders as objects in a bucket: written only where there is none, and so never changed. */

import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Archive } from '../../auction/ports.ts';
import { AuctionError } from '../../market/errors.ts';
import { checkArchiveKey } from '../archive-key.ts';
import { pause } from './pause.ts';
import { unavailable } from './unavailable.ts';

const attempts = 8;
/** Of an address: long enough to begin with a download. */
const locatedSeconds = 300;

export function openArchive(client: S3Client, bucket: string): Archive {
  async function read(key: string): Promise<string | undefined> {
    const command = new GetObjectCommand({ Bucket: bucket, Key: checkArchiveKey(key) });
    try {
      const { Body } = await client.send(command);
      return await Body!.transformToString();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw unavailable('the archive', error);
    }
  }

  /** @returns false when the key is taken */
  async function writeNew(key: string, text: string): Promise<boolean> {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: checkArchiveKey(key),
      Body: text,
      ContentType: key.endsWith('.csv') ? 'text/csv' : 'application/json',
      IfNoneMatch: '*',
    });
    for (let attempt = 0; ; attempt++) {
      try {
        await client.send(command);
        return true;
      } catch (error) {
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
        if (status === 412) return false;
        // 409: another write of this key is under way. Who comes second is told so the next time.
        if (status !== 409) throw unavailable('the archive', error);
        if (attempt === attempts) {
          throw new AuctionError('unavailable', `${key} is being written by others`, [], { cause: error });
        }
        await pause(attempt);
      }
    }
  }

  return {
    read,
    async write(key, text) {
      if (await writeNew(key, text)) return;
      // Also when it was this very write that had come through, and only its answer was lost.
      if ((await read(key)) !== text) throw new AuctionError('conflict', `${key} is in the archive with other content`);
    },
    async list(prefix) {
      const keys: string[] = [];
      let next: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(next !== undefined && { ContinuationToken: next }),
        });
        try {
          const { Contents = [], NextContinuationToken } = await client.send(command);
          keys.push(...Contents.map(({ Key }) => Key!));
          next = NextContinuationToken;
        } catch (error) {
          throw unavailable('the archive', error);
        }
      } while (next !== undefined);
      return keys.sort();
    },
    async locate(key) {
      const object = { Bucket: bucket, Key: checkArchiveKey(key) };
      try {
        const { ContentLength } = await client.send(new HeadObjectCommand(object));
        const url = await getSignedUrl(client, new GetObjectCommand(object), { expiresIn: locatedSeconds });
        return { url, bytes: ContentLength! };
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw unavailable('the archive', error);
      }
    },
  };
}
