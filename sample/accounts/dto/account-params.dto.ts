import { IsAccountId } from '../is-account-id.decorator.js';

export class AccountParamsDto {
  @IsAccountId()
  readonly id!: number;
}
