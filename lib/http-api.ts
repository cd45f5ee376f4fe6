/**
 * The public HTTP API: one gateway before two functions, `POST /orders` and the rest.
 *
 * Its routes are those of `src/api/`, and so are its models. What the gateway refuses looks like what the functions refuse:
 * problem details. `gateway-responses.ts` has those answers.
 */

import { Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  ApiKeySourceType,
  CfnModel,
  Cors,
  EndpointType,
  type IModel,
  type IResource,
  type IRestApi,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  Model,
  Period,
  RequestValidator,
  RestApi,
  type UsagePlan,
} from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { routesOf } from '../src/api/app.ts';
import type { Route } from '../src/api/route.ts';
import type { Ports } from '../src/auction/ports.ts';
import { authorizerOf } from './access.ts';
import type { Rate } from './environments.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import { gatewayModel } from './models.ts';
import type { Settings } from './settings.ts';

export const apiNameOf = (environment: string): string => `energy-auction-${environment}`;
export const stageName = 'v1';
/** Of the plans for calls without a token and with one that does not hold. No secrets: what a client sends as a key is not looked at. */
export const publicUsageKey = (environment: string): string => `public-usage-of-energy-auction-${environment}`;
export const refusedUsageKey = (environment: string): string => `refused-usage-of-energy-auction-${environment}`;

export interface HttpApiProps {
  readonly settings: Settings;
  /** Asked before every request. */
  readonly authorize: IFunction;
  readonly postOrders: IFunction;
  /** Every other route. */
  readonly api: IFunction;
}

/** They are only described here; whoever calls them gets the functions. */
const routes = routesOf({} as Ports);

export class HttpApi extends Construct {
  readonly api: RestApi;
  /** Where each client has a key of its own (`scripts/add-client.ts`). */
  readonly clientPlan: UsagePlan;
  private readonly settings: Settings;

  constructor(scope: Construct, id: string, { settings, authorize, postOrders, api }: HttpApiProps) {
    super(scope, id);
    this.settings = settings;
    this.api = this.gateway(authorize);
    addGatewayResponses(this.api, settings.dashboardOrigin);
    const everythingElse = integration(api);
    const submitting = integration(postOrders);
    const validators = this.validators();

    for (const route of routes) {
      const resource = this.api.root.resourceForPath(route.path);
      const body = route.documentedBody ?? route.body;
      resource.addMethod(route.method.toUpperCase(), route.id === 'submitOrders' ? submitting : everythingElse, {
        operationName: route.id,
        requestParameters: parameters(route),
        requestValidator: checksBody(route) ? validators.body : validators.parameters,
        ...(body && { requestModels: { 'application/json': this.model(route, body) } }),
      });
    }
    // Methods and addresses that nobody knows get the house's answers, 405 and 404, once the key was right.
    for (const resource of this.resources()) resource.addMethod('ANY', everythingElse);
    this.api.root.addProxy({ anyMethod: true, defaultIntegration: everythingElse });
    this.clientPlan = this.usagePlans();
  }

  private gateway(authorize: IFunction): RestApi {
    const { environment, logRetention, removalPolicy, throttle, dashboardOrigin } = this.settings;
    const accessLog = new LogGroup(this, 'AccessLog', {
      logGroupName: `/energy-auction/access-${environment}`,
      retention: logRetention,
      removalPolicy,
    });
    const api = new RestApi(this, 'Gateway', {
      restApiName: apiNameOf(environment),
      description: 'Merit, the open energy auction house',
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: false, // it is the account's: gateway-logs.ts
      deployOptions: {
        stageName,
        throttlingRateLimit: throttle.rateLimit,
        throttlingBurstLimit: throttle.burstLimit,
        accessLogDestination: new LogGroupLogDestination(accessLog),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false, // orders are nobody's business before the gate
        metricsEnabled: true,
        tracingEnabled: true,
      },
      // The key of a usage plan is what the authorizer says, not what a client sends.
      apiKeySourceType: ApiKeySourceType.AUTHORIZER,
      defaultMethodOptions: { authorizer: authorizerOf(this, authorize), apiKeyRequired: true },
      defaultCorsPreflightOptions: {
        allowOrigins: dashboardOrigin === '*' ? Cors.ALL_ORIGINS : [dashboardOrigin],
        allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
        allowHeaders: ['content-type', 'authorization', 'if-none-match', 'if-match', 'idempotency-key'],
        exposeHeaders: ['etag', 'location', 'retry-after'],
      },
    });
    Validations.of(api).acknowledge(
      {
        id: 'AwsSolutions-APIG4',
        reason: 'All but the preflight requests of browsers, which bring no token, are asked for one.',
      },
      {
        id: 'AwsSolutions-COG4',
        reason: 'Tokens of the pool are checked by our own authorizer, which knows routes, owners and public data.',
      },
    );
    if (!this.settings.waf)
      Validations.of(api).acknowledge({
        id: 'AwsSolutions-APIG3',
        reason: 'A web ACL is there by -c waf=on; without one throttle, quota and keys bound what a stranger can do.',
      });
    return api;
  }

  /**
   * Whether the gateway may refuse a body by its model.
   *
   * Not of orders: the gateway would say that the body does not fit and no more, where the house names each order and field, and
   * `Request body is empty` is a promise. Not where a body may be left out, which the gateway would take for a broken one.
   */
  private validators() {
    const restApi = this.api as IRestApi;
    return {
      body: new RequestValidator(this, 'BodyValidator', {
        restApi,
        requestValidatorName: 'body-and-parameters',
        validateRequestBody: true,
        validateRequestParameters: true,
      }),
      parameters: new RequestValidator(this, 'ParameterValidator', {
        restApi,
        requestValidatorName: 'parameters',
        validateRequestBody: false,
        validateRequestParameters: true,
      }),
    };
  }

  private model(route: Route, schema: NonNullable<Route['body']>): IModel {
    const name = `${route.id[0]!.toUpperCase()}${route.id.slice(1)}`;
    const model = new CfnModel(this, `${name}Model`, {
      restApiId: this.api.restApiId,
      name,
      contentType: 'application/json',
      description: route.summary,
      schema: gatewayModel(schema),
    });
    return Model.fromModelName(this, name, model.ref);
  }

  private resources(): IResource[] {
    return [...new Set(routes.map((route) => this.api.root.resourceForPath(route.path)))];
  }

  /**
   * How much may be asked: a plan's limits are those of each key in it, and are applied before those of the stage. Every call counts in one:
   * of a client under its key, of all strangers under one, of all whose token does not hold under another.
   */
  private usagePlans(): UsagePlan {
    const { environment, clientThrottle, publicThrottle, quota, publicQuota } = this.settings;
    const plan = (id: string, name: string, throttle: Rate, limit: number): UsagePlan =>
      this.api.addUsagePlan(id, {
        name: `energy-auction-${environment}-${name}`,
        throttle,
        quota: { limit, period: Period.DAY },
        apiStages: [{ api: this.api as IRestApi, stage: this.api.deploymentStage }],
      });
    const strangers = { public: publicUsageKey(environment), refused: refusedUsageKey(environment) };
    for (const [name, value] of Object.entries(strangers)) {
      const id = name === 'public' ? '' : 'Refused';
      const key = this.api.addApiKey(`${id}Key`, { apiKeyName: `energy-auction-${environment}-${name}`, value });
      plan(`${id}UsagePlan`, name, publicThrottle, publicQuota).addApiKey(key);
    }
    return plan('ClientUsagePlan', 'clients', clientThrottle, quota);
  }
}

/** One permission for the whole API: a function's policy would not hold one for each method. */
const integration = (handler: IFunction): LambdaIntegration =>
  new LambdaIntegration(handler, { proxy: true, scopePermissionToMethod: false });

const checksBody = ({ id, body, bodyOptional }: Route): boolean =>
  body !== undefined && !bodyOptional && id !== 'submitOrders' && id !== 'replaceOrder';

/** Of the path; those of the query are checked by the house, which names what is wrong. */
const parameters = ({ params }: Route): Record<string, boolean> =>
  Object.fromEntries(Object.keys(params?.shape ?? {}).map((name) => [`method.request.path.${name}`, true]));

const accessLogFields = {
  requestId: '$context.requestId',
  extendedRequestId: '$context.extendedRequestId',
  traceId: '$context.xrayTraceId',
  time: '$context.requestTimeEpoch',
  method: '$context.httpMethod',
  resource: '$context.resourcePath',
  path: '$context.path',
  status: '$context.status',
  bytes: '$context.responseLength',
  ms: '$context.responseLatency',
  integrationMs: '$context.integrationLatency',
  integrationStatus: '$context.integrationStatus',
  errorType: '$context.error.responseType',
  client: '$context.authorizer.principalId',
  apiKeyId: '$context.identity.apiKeyId',
  ip: '$context.identity.sourceIp',
  userAgent: '$context.identity.userAgent',
};
