export { call, installHost, isAppError, onEvent, toAppError } from './host';
export type { AnswerOf, ArgumentOf, CommandName, Host } from './host';
