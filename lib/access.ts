/**
 * Who may call: a user pool of machine clients, which get tokens by client credentials, and the function that the gateway asks.
 *
 * Scopes are roles (`src/access/roles.ts`). A client, its participant and its usage plan are made by `scripts/add-client.ts`.
 */

import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { RequestAuthorizer } from 'aws-cdk-lib/aws-apigateway';
import {
  AccountRecovery,
  FeaturePlan,
  ResourceServerScope,
  UserPool,
  type UserPoolDomain,
} from 'aws-cdk-lib/aws-cognito';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { scopeMeanings, scopes } from '../src/access/roles.ts';
import type { Settings } from './settings.ts';

/** What the scopes belong to: `merit/orders.read` is `orders.read` of this. */
const resourceServer = 'merit';

export class Access extends Construct {
  readonly pool: UserPool;
  readonly domain: UserPoolDomain;
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly keysUrl: string;

  constructor(scope: Construct, id: string, { environment, removalPolicy, deletionProtection }: Settings) {
    super(scope, id);
    const { account, region } = Stack.of(this);
    this.pool = new UserPool(this, 'Pool', {
      userPoolName: `energy-auction-${environment}`,
      selfSignUpEnabled: false,
      accountRecovery: AccountRecovery.NONE,
      featurePlan: FeaturePlan.ESSENTIALS,
      passwordPolicy: {
        minLength: 16,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
      },
      deletionProtection,
      removalPolicy,
    });
    this.pool.addResourceServer('Scopes', {
      identifier: resourceServer,
      scopes: scopes.map(
        (name) =>
          new ResourceServerScope({
            scopeName: name.slice(resourceServer.length + 1),
            scopeDescription: scopeMeanings[name],
          }),
      ),
    });
    this.domain = this.pool.addDomain('Domain', {
      cognitoDomain: { domainPrefix: `energy-auction-${environment}-${account}` },
    });
    this.issuer = `https://cognito-idp.${region}.amazonaws.com/${this.pool.userPoolId}`;
    this.keysUrl = `${this.issuer}/.well-known/jwks.json`;
    const noPeople = 'The pool has machine clients and no user: nobody signs in with a password, or at all.';
    Validations.of(this.pool).acknowledge(
      { id: 'AwsSolutions-COG2', reason: noPeople },
      { id: 'AwsSolutions-COG3', reason: noPeople },
      { id: 'AwsSolutions-COG8', reason: noPeople },
    );
  }
}

/** Asked with every request, so that a public route needs no token and a revoked client none of its old answers. */
export const authorizerOf = (scope: Construct, handler: IFunction): RequestAuthorizer =>
  new RequestAuthorizer(scope, 'Authorizer', {
    handler,
    identitySources: [],
    resultsCacheTtl: Duration.seconds(0),
  });
