/** Version of this package; a test keeps it equal to package.json. */
export const VERSION = '0.2.0';

/** `User-Agent` of every request. */
export const USER_AGENT = `antenna-sdk/${VERSION} node/${process.versions.node} ${process.platform}-${process.arch}`;
