/**
 * What API Gateway wants of an account and region, once: the role under which it writes the logs of all gateways there.
 *
 * Whoever sets it last has set it for everybody. So the role stays when its stack goes: else the logs of all the other
 * environments would stop, and nothing would say so.
 */

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { CfnAccount } from 'aws-cdk-lib/aws-apigateway';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

const policy = 'service-role/AmazonAPIGatewayPushToCloudWatchLogs';

export class AccountSettings extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const role = new Role(this, 'GatewayLogs', {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(policy)],
    });
    // Also when a first deployment is undone: the account names it by then.
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    const account = new CfnAccount(this, 'Account', { cloudWatchRoleArn: role.roleArn });
    account.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`,
      reason: 'API Gateway takes one role per account and region, and this is the policy that AWS names for it.',
    });
  }
}
