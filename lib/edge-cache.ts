/**
 * Published results kept at the edge: a distribution before the gateway, by `-c cache=edge`.
 *
 * What may be kept, and for how long, is said by the house in `Cache-Control` (`src/api/published.ts`): the prices, flows and curves
 * of settled auctions for ever, all else never. The token is part of the key, so an answer to one caller is given to no other.
 */

import { Duration, Validations } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import {
  AllowedMethods,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  OriginRequestPolicy,
  PriceClass,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { RestApiOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** The published data of an auction, which anybody may read. */
const published = ['prices', 'flows', 'curves'];

/** CloudFront would keep these refusals for ten seconds. */
const refusals = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504];

export class EdgeCache extends Construct {
  readonly distribution: Distribution;

  constructor(scope: Construct, id: string, { settings, api }: { readonly settings: Settings; readonly api: RestApi }) {
    super(scope, id);
    const house = {
      origin: new RestApiOrigin(api),
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    };
    const cachePolicy = new CachePolicy(this, 'AsTheHouseSays', {
      cachePolicyName: `energy-auction-${settings.environment}`,
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.days(365),
      headerBehavior: CacheHeaderBehavior.allowList('Authorization', 'Origin'),
      queryStringBehavior: CacheQueryStringBehavior.all(),
      enableAcceptEncodingBrotli: true,
      enableAcceptEncodingGzip: true,
    });
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `energy-auction-${settings.environment}`,
      priceClass: PriceClass.PRICE_CLASS_100,
      defaultBehavior: {
        ...house,
        allowedMethods: AllowedMethods.ALLOW_ALL,
        cachePolicy: CachePolicy.CACHING_DISABLED,
      },
      additionalBehaviors: Object.fromEntries(
        published.map((what) => [
          `auctions/*/${what}`,
          { ...house, allowedMethods: AllowedMethods.ALLOW_GET_HEAD_OPTIONS, cachePolicy },
        ]),
      ),
      errorResponses: refusals.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    });
    Validations.of(this.distribution).acknowledge(
      { id: 'AwsSolutions-CFR1', reason: 'Whoever may trade may be anywhere; the house asks for a token.' },
      { id: 'AwsSolutions-CFR2', reason: 'As for the gateway: throttle, quota and keys bound what a stranger can do.' },
      {
        id: 'AwsSolutions-CFR3',
        reason: 'What the edge answers by itself is public; what it passes on is in the access log of the gateway.',
      },
      { id: 'AwsSolutions-CFR4', reason: 'The name is of CloudFront, whose certificate takes what it takes.' },
    );
  }
}
