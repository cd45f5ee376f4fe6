/**
 * A web ACL before the gateway, by `-c waf=on`: an address that sends more than a client may is turned away before anybody is asked who it is.
 *
 * Usage plans count calls by who makes them, which only the authorizer knows; this bounds what strangers can make it do.
 */

import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** Over which requests are counted, seconds. */
const window = 300;

export class WebAcl extends Construct {
  constructor(scope: Construct, id: string, { settings, api }: { readonly settings: Settings; readonly api: RestApi }) {
    super(scope, id);
    const { environment, clientThrottle } = settings;
    const visible = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: false, // they have tokens in them
      metricName,
    });
    const acl = new CfnWebACL(this, 'Acl', {
      name: `energy-auction-${environment}`,
      description: 'Bounds the requests of one address',
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visible(`energy-auction-${environment}`),
      rules: [
        {
          name: 'rate-of-an-address',
          priority: 0,
          action: { block: {} },
          statement: {
            rateBasedStatement: {
              aggregateKeyType: 'IP',
              evaluationWindowSec: window,
              limit: clientThrottle.rateLimit * window,
            },
          },
          visibilityConfig: visible(`rate-of-an-address-${environment}`),
        },
      ],
    });
    const { deploymentStage: stage, restApiId } = api;
    new CfnWebACLAssociation(this, 'Stage', {
      webAclArn: acl.attrArn,
      resourceArn: Stack.of(this).formatArn({
        service: 'apigateway',
        account: '',
        arnFormat: ArnFormat.SLASH_RESOURCE_SLASH_RESOURCE_NAME,
        resource: 'restapis',
        resourceName: `${restApiId}/stages/${stage.stageName}`,
      }),
    });
  }
}
