import { installHost } from '../src/platform';
import { TestHost, type Handlers } from './test-host';

/** Puts a test host in the place of the app for one test. */
export function install(handlers: Handlers): TestHost {
  const host = new TestHost(handlers);
  installHost(host);
  return host;
}

/** A promise that a test settles when it likes. */
export function later<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((settle, refuse) => {
    resolve = settle;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
