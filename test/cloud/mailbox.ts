/** A queue that hears every topic of the stack, as an operator's would. */

import { SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import type { Notice } from '../../src/auction/ports.ts';
import { type Deployment, until } from './deployment.ts';

export interface Mailbox {
  /** Wait until there is such a notice, of a participant's order where one is named. */
  find(kind: Notice['kind'], auction: string, record_id?: string): Promise<Notice>;
}

export async function openMailbox({ clients: { sqs, sns }, outputs }: Deployment): Promise<Mailbox> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'mailbox' }));
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(asked);
  const topics = [outputs.RejectedTopic, outputs.ErrorsTopic, outputs.SettledTopic];
  const mayDeliver = {
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: Attributes!.QueueArn,
    Condition: { ArnEquals: { 'aws:SourceArn': topics } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [mayDeliver] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  for (const TopicArn of topics)
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: Attributes!.QueueArn }));

  const notices: Notice[] = [];
  async function receive(): Promise<void> {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const { Body } of Messages) notices.push(JSON.parse(JSON.parse(Body!).Message) as Notice);
    if (Messages.length === 0) return;
    const Entries = Messages.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId, ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
  return {
    find: (kind, auction, record_id) =>
      until(`there is a notice ${kind} of ${auction}`, async () => {
        await receive();
        return notices.find(
          (notice) =>
            notice.kind === kind &&
            notice.auction === auction &&
            (record_id === undefined || ('record_id' in notice && notice.record_id === record_id)),
        );
      }),
  };
}
