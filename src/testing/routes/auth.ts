import { HEX } from '../random.js';
import { FieldReader } from '../validate/fields.js';
import { ACTION_ALLOW, DETAIL_ALLOW } from '../wire/call.js';
import type { Call, Route } from '../wire/call.js';
import { badRequest, credentialsMissing, forbidden } from '../wire/refusal.js';
import { empty, json } from '../wire/respond.js';
import type { ResponseRecord } from '../messages.js';

const TOKEN_LENGTH = 40;

/** Wrong password, inactive user and missing field all get the same answer (contract §4.1). */
function login(call: Call): ResponseRecord {
  const fields = new FieldReader(call.body.data);
  const password = fields.text('password');
  const email = fields.text('email');
  fields.done();
  const user = call.store.users.find((row) => row.email === email && row.password === password);
  if (!user?.active) throw badRequest({ non_field_errors: ['Unable to log in with provided credentials.'] });
  user.token ??= call.antenna.random.text(TOKEN_LENGTH, HEX);
  return json(200, { auth_token: user.token });
}

/** Deletes the user's only token, and with it every other client of that account (T12). */
function logout(call: Call): ResponseRecord {
  if (call.caller.kind === 'anonymous') throw credentialsMissing();
  if (call.caller.kind === 'service') throw forbidden();
  call.caller.user.token = null;
  return empty(204);
}

function me(call: Call): ResponseRecord {
  if (call.caller.kind !== 'user') throw credentialsMissing();
  const { user } = call.caller;
  return json(200, {
    id: user.id,
    name: user.name,
    details: call.url(`users/${user.id}/`),
    image: null,
    identifications: [],
    email: user.email,
    user_permissions: [],
  });
}

export const authRoutes: readonly Route[] = [
  { pattern: /^auth\/token\/login\/$/, allow: ACTION_ALLOW, methods: { POST: login }, slashOptional: true },
  { pattern: /^auth\/token\/logout\/$/, allow: ACTION_ALLOW, methods: { POST: logout }, slashOptional: true },
  {
    pattern: /^users\/me\/$/,
    allow: DETAIL_ALLOW,
    methods: { GET: me },
    guard: (call) => {
      if (call.caller.kind === 'anonymous') throw credentialsMissing();
      if (call.caller.kind === 'service') throw forbidden();
    },
  },
];
