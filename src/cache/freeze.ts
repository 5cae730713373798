/**
 * Freezes plain data through and through. An answer that is kept is handed to many callers; what one of them changes in it, the others
 * would see.
 * @returns the same object.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
