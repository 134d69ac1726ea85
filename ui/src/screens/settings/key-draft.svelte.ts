/** Keys as they are typed in, kept no longer than they are needed. */
import type { TypedKeys } from '../../contract';

export type KeyKind = TypedKeys['kind'];

export class KeyDraft {
  keyId = $state('');
  secret = $state('');
  token = $state('');
  apiKey = $state('');

  ready(kind: KeyKind): boolean {
    return kind === 'apiKey' ? this.apiKey.trim() !== '' : this.keyId !== '' && this.secret !== '';
  }

  typed(kind: KeyKind): TypedKeys {
    if (kind === 'apiKey') return { kind, apiKey: this.apiKey };
    const sessionToken = this.token.trim() === '' ? null : this.token;
    return { kind, accessKeyId: this.keyId, secretAccessKey: this.secret, sessionToken };
  }

  forget(): void {
    this.secret = '';
    this.token = '';
    this.apiKey = '';
  }
}
