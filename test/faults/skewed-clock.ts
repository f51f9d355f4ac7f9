/** Loaded before everything else in a process whose clock is to be wrong (clock-skew). */
import process from 'node:process';

const skewMs = Number(process.env['LAB_CLOCK_SKEW_MS'] ?? 0);
const trueNow = Date.now.bind(Date);
const TrueDate = Date;

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args: unknown[]) =>
    args.length === 0 ? new target(trueNow() + skewMs) : (Reflect.construct(target, args) as Date),
  apply: () => new TrueDate(trueNow() + skewMs).toString(),
  get: (target, property, receiver) =>
    property === 'now' ? () => trueNow() + skewMs : Reflect.get(target, property, receiver),
});
