/** What cdk-nag finds and we do on purpose, said beside the resource: the one finding, never the whole rule. */

import { Stack, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Acknowledge that a policy of this construct is for all resources under an ARN that ends in `*`. */
export function acknowledgeWildcard(construct: Construct, arn: string, reason: string): void {
  const text = nagText(Stack.of(construct).resolve(arn));
  Validations.of(construct).acknowledge({ id: `AwsSolutions-IAM5[Resource::${text}]`, reason });
}

type Resolved = string | { Ref: string } | { 'Fn::GetAtt': string[] } | { 'Fn::Join': [string, Resolved[]] };

/** An ARN with its references as cdk-nag writes them: `<AWS::Region>`, `<Bucket.Arn>`. */
function nagText(value: Resolved): string {
  if (typeof value === 'string') return value;
  if ('Ref' in value) return `<${value.Ref}>`;
  if ('Fn::GetAtt' in value) return `<${value['Fn::GetAtt'].join('.')}>`;
  const [between, parts] = value['Fn::Join'];
  return parts.map(nagText).join(between);
}
