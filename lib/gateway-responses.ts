/** What the gateway answers by itself, as the house would say it: problem details (RFC 9457) with the same codes and titles. */

import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { type ProblemCode, type ProblemDetails, problemTypes } from '../src/api/problems.ts';

interface Refusal {
  readonly type: ResponseType;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly problems?: ProblemDetails['problems'];
  /** Seconds. */
  readonly retryAfter?: number;
}

/** The gateway puts its own words in for `$context...`. */
const refusals: readonly Refusal[] = [
  {
    type: ResponseType.BAD_REQUEST_BODY,
    code: 'invalid-request',
    detail: 'the body is missing, is not JSON, or does not fit the model of this request; see /openapi.json',
    problems: [{ code: 'bad-body', message: '$context.error.validationErrorString' }],
  },
  {
    type: ResponseType.BAD_REQUEST_PARAMETERS,
    code: 'invalid-request',
    detail: 'a parameter of the address is missing; see /openapi.json',
  },
  {
    type: ResponseType.INVALID_API_KEY,
    code: 'forbidden',
    detail: 'the usage plan of this client is not known here',
  },
  {
    type: ResponseType.MISSING_AUTHENTICATION_TOKEN,
    code: 'unauthorized',
    detail: 'this needs a token: send it as Authorization: Bearer TOKEN',
  },
  {
    type: ResponseType.UNAUTHORIZED,
    code: 'unauthorized',
    detail: 'this needs a token that holds: send it as Authorization: Bearer TOKEN',
  },
  { type: ResponseType.ACCESS_DENIED, code: 'forbidden', detail: 'this request is not allowed' },
  {
    type: ResponseType.THROTTLED,
    code: 'too-many-requests',
    detail: 'too many requests at once; nothing was taken of this one',
    retryAfter: 1,
  },
  {
    type: ResponseType.QUOTA_EXCEEDED,
    code: 'too-many-requests',
    detail: 'the requests of the day are used up; nothing was taken of this one',
    retryAfter: 3600,
  },
  {
    type: ResponseType.WAF_FILTERED,
    code: 'too-many-requests',
    detail: 'too many requests from this address; nothing was taken of this one',
    retryAfter: 300,
  },
  {
    type: ResponseType.REQUEST_TOO_LARGE,
    code: 'too-large',
    detail: 'the body is longer than the gateway takes; send the orders in several requests',
  },
  {
    type: ResponseType.UNSUPPORTED_MEDIA_TYPE,
    code: 'unsupported-media-type',
    detail: 'the body is of a type that is not understood; send it as application/json',
  },
  {
    type: ResponseType.INTEGRATION_TIMEOUT,
    code: 'timeout',
    detail: 'the house did not answer in time; send the same request again: what was taken is not taken twice',
    retryAfter: 1,
  },
  {
    type: ResponseType.INTEGRATION_FAILURE,
    code: 'internal',
    detail: 'the house did not answer; the log has it under the id of this instance',
  },
  { type: ResponseType.DEFAULT_4XX, code: 'invalid-request', detail: 'the gateway does not take this request' },
  {
    type: ResponseType.DEFAULT_5XX,
    code: 'internal',
    detail: 'an unexpected fault of the gateway; the log has it under the id of this instance',
  },
];

export function addGatewayResponses(api: RestApi, origin: string): void {
  for (const { type, code, detail, problems = [], retryAfter } of refusals) {
    const { status, title } = problemTypes[code];
    const details: ProblemDetails = {
      type: `/problems/${code}`,
      title,
      status,
      detail,
      instance: 'urn:uuid:$context.requestId',
      code,
      problems,
      errorMessage: detail,
    };
    api.addGatewayResponse(type.responseType, {
      type,
      statusCode: String(status),
      responseHeaders: {
        'Content-Type': "'application/problem+json'",
        'Access-Control-Allow-Origin': `'${origin}'`,
        ...(status === 401 && { 'WWW-Authenticate': `'Bearer realm="merit"'` }),
        ...(retryAfter && { 'Retry-After': `'${retryAfter}'` }),
      },
      templates: { 'application/json': JSON.stringify(details) },
    });
  }
}
