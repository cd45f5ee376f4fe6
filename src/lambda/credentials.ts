/**
 * Credentials as every function gets them: in its environment. `lib/bundle.ts` puts this in the place of the SDK's search
 * through profiles, single sign-on and instance metadata, which no function has and which would be a third of its code.
 */

export const defaultProvider = () => async () => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = process.env;
  if (!accessKeyId || !secretAccessKey) throw new Error('the environment has no AWS credentials');
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) };
};
