/**
 * Exchanges that the contract server answers otherwise than the recorded one, with the reason: the whole list.
 * A replay fails when an exchange differs that is not listed here, and when one is listed that no longer differs.
 */
export const EXCEPTIONS: Readonly<Record<string, string>> = {};
