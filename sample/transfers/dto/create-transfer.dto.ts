import { IsAccountId } from '../../accounts/is-account-id.decorator.js';
import type { Cents } from '../../money/cents.js';
import { IsCents } from '../../money/is-cents.decorator.js';

export class CreateTransferDto {
  @IsAccountId(1)
  readonly from!: number;

  @IsAccountId(2)
  readonly to!: number;

  @IsCents({ min: 1n, description: 'Money to move, in cents', example: 2_500 })
  readonly amountCents!: Cents;
}
