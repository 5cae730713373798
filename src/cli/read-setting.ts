import { parseDuration } from './durations.js';
import { SETTINGS, type Kind, type SettingName } from './settings.js';

/** Texts and what they must look like. */
const CHOICES: Readonly<Partial<Record<SettingName, readonly string[]>>> = {
  dialect: ['api-key', 'token'],
  until: ['drained', 'stopped'],
  logLevel: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
};

/** A value that was read, or what is wrong with it; the value itself is not quoted, it may be a secret. */
export type Read = { readonly value: unknown } | { readonly problem: string };

/** Reads one value, from a flag, a variable or a configuration file, in which it may be of its own type already. */
export function readSetting(name: SettingName, raw: unknown): Read {
  const { kind } = SETTINGS[name];
  const read = READERS[kind](raw);
  const choices = CHOICES[name];
  if ('value' in read && choices && !choices.includes(String(read.value)))
    return { problem: `must be ${choices.join(', ')}` };
  return read;
}

const WHOLE = /^\d+$/;
const items = (raw: unknown): string[] =>
  (Array.isArray(raw) ? raw : [raw]).flatMap((item) =>
    String(item)
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );

const READERS: Readonly<Record<Kind, (raw: unknown) => Read>> = {
  socket: (raw) => (raw === true || raw === '' ? { value: 'antenna-handler.sock' } : READERS.text(raw)),
  text: (raw) => {
    if (typeof raw !== 'string' && typeof raw !== 'number') return { problem: 'must be a text' };
    const text = String(raw).trim();
    return text === '' ? { problem: 'is empty' } : { value: text };
  },
  count: (raw) =>
    WHOLE.test(String(raw)) && Number(raw) > 0
      ? { value: Number(raw) }
      : { problem: 'must be a whole number from 1' },
  number: (raw) =>
    WHOLE.test(String(raw)) && Number(raw) < 65_536
      ? { value: Number(raw) }
      : { problem: 'must be a whole number up to 65535' },
  ids: (raw) => {
    const ids = items(raw);
    return ids.length > 0 && ids.every((id) => WHOLE.test(id))
      ? { value: ids.map(Number) }
      : { problem: 'must be ids such as 3 or 3,7' };
  },
  list: (raw) => {
    const names = items(raw);
    return names.length > 0 ? { value: names } : { problem: 'is empty' };
  },
  duration: (raw) => {
    const ms = parseDuration(String(raw));
    return ms === undefined ? { problem: 'must be a time such as 90s, 10m or 11h55m' } : { value: ms };
  },
  switch: (raw) => {
    if (raw === true || /^(?:1|true|yes|on)$/i.test(String(raw))) return { value: true };
    if (raw === false || /^(?:0|false|no|off|)$/i.test(String(raw))) return { value: false };
    return { problem: 'must be true or false' };
  },
  workers: (raw) => {
    if (raw === 'auto') return { value: 'auto' };
    return WHOLE.test(String(raw)) && Number(raw) >= 1 && Number(raw) <= 64
      ? { value: Number(raw) }
      : { problem: 'must be a whole number from 1 to 64, or auto' };
  },
};
