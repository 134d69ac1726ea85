/** Numbers, sizes and times as the window writes them. English throughout, like the rest of the window. */
const LOCALE = 'en-US';

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const lossFormat = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const oneDigit = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const moneyFormat = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'USD' });
const percentFormat = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 0 });
const exactFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
const minuteFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const relativeFormat = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto', style: 'long' });

export const count = (value: number): string => whole.format(value);
export const loss = (value: number): string => lossFormat.format(value);
export const decimal = (value: number): string => oneDigit.format(value);
export const percent = (fraction: number): string => percentFormat.format(fraction);
export const exactTime = (time: number): string => exactFormat.format(time);
/** For what was set to a minute. */
export const minuteTime = (time: number): string => minuteFormat.format(time);

/** "1 record", "3 records". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A number that may still grow while records are being read. */
export function atLeast(value: number, coverage: { complete: boolean }): string {
  return coverage.complete ? count(value) : `at least ${count(value)}`;
}

export function bytes(value: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let amount = value;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? whole.format(amount) : oneDigit.format(amount)} ${units[unit] ?? ''}`;
}

/** "42 s", "4 min 07 s", "2 h 05 min"; whole seconds, never negative. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** An estimate, so coarser than a duration: "about 2 min". */
export function timeLeft(seconds: number): string {
  if (seconds < 10) return 'a few seconds';
  if (seconds < 55) return `about ${Math.round(seconds / 5) * 5} s`;
  if (seconds < 3600) return `about ${Math.round(seconds / 60)} min`;
  return `about ${oneDigit.format(seconds / 3600)} h`;
}

/** Milliseconds below a second, else seconds with one digit. */
export function latency(milliseconds: number): string {
  return milliseconds < 1000
    ? `${whole.format(milliseconds)} ms`
    : `${oneDigit.format(milliseconds / 1000)} s`;
}

export function relativeTime(time: number, now: number): string {
  const seconds = Math.round((time - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 10) return 'just now';
  if (size < 60) return relativeFormat.format(seconds, 'second');
  if (size < 3600) return relativeFormat.format(Math.round(seconds / 60), 'minute');
  if (size < 86_400) return relativeFormat.format(Math.round(seconds / 3600), 'hour');
  return relativeFormat.format(Math.round(seconds / 86_400), 'day');
}

/** An amount of US dollars: "$0.52", "$44,165.00"; below a cent it says so. */
export function money(usd: number): string {
  return usd > 0 && usd < 0.01 ? 'under $0.01' : moneyFormat.format(usd);
}

/** Perplexity and like figures: two digits while small, then whole. */
export function figure(value: number): string {
  return value < 100 ? value.toFixed(2) : whole.format(value);
}

/** "8 to 200,000", or "at least 8" where no upper bound is known. */
export function bounds(min: number, max: number | null): string {
  return max === null ? `at least ${count(min)}` : `${count(min)} to ${count(max)}`;
}

/** A price as one or two words for a button: "Free: it runs here." becomes "free". */
export function priceWord(price: string): string {
  const word = price.split(/[:.;(]/, 1)[0]?.trim() ?? '';
  return word.length > 0 && word.length <= 24 ? word.charAt(0).toLowerCase() + word.slice(1) : 'see price';
}
