/**
 * The keys that the house signs its evidence with. Nobody has their private halves; KMS signs, and says who asked.
 *
 * KMS does not rotate keys that sign. Another one is asked for by `-c signingKeys=2`: it signs from then on, and those before stay for their
 * public halves, so that what they signed can be checked.
 */

import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

export class Signing extends Construct {
  /** The last one signs. */
  readonly keys: readonly Key[];

  constructor(
    scope: Construct,
    id: string,
    { environment, removalPolicy, signingKeys }: Pick<Settings, 'environment' | 'removalPolicy' | 'signingKeys'>,
  ) {
    super(scope, id);
    this.keys = Array.from(
      { length: signingKeys },
      (_, index) =>
        new Key(this, `Key${index + 1}`, {
          alias: `energy-auction-signing-${index + 1}-${environment}`,
          description: 'Evidence of the energy auction: tree heads and results',
          keySpec: KeySpec.ECC_NIST_EDWARDS25519,
          keyUsage: KeyUsage.SIGN_VERIFY,
          removalPolicy,
        }),
    );
  }

  /** As functions are told. */
  get ids(): string {
    return this.keys.map(({ keyId }) => keyId).join(',');
  }
}
