/** Retries allowed at any moment without a record of good requests. */
const RETRY_BUDGET_BURST = 10;
/** What each request adds to the budget: retries stay below a tenth of the traffic. */
const RETRY_BUDGET_RATIO = 0.1;

/**
 * Stops retry storms. When a server is down, every call of every worker fails and each would be sent four times; the budget
 * lets at most 10 % of requests + 10 be retries, over any stretch of time. It is a bucket, so a million good requests do not
 * save up for a storm.
 */
export class RetryBudget {
  #tokens = RETRY_BUDGET_BURST;

  /** Call once for each request, not for its retries. */
  onRequest(): void {
    this.#tokens = Math.min(RETRY_BUDGET_BURST, this.#tokens + RETRY_BUDGET_RATIO);
  }

  /** Takes one retry out of the budget, or says that there is none left. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whole retries left. */
  get left(): number {
    return Math.floor(this.#tokens);
  }
}
