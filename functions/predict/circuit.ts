import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from "cockatiel";

/** Calls that fail one after another until the circuit opens. */
const failuresToOpen = 5;
/** How long what fails is left alone; then one call tries whether it is back. */
const openMs = 1_000;

/**
 * Leaves alone what fails again and again: nobody waits for it, and it is not kept from coming back. One call a second tries it, and
 * the first that succeeds closes the circuit.
 */
export class Circuit {
    private readonly policy;

    /**
     * @param isFailure which errors tell of a fault of what is called
     * @param refusal the error of a call that is not made; `cause` is the last failure
     */
    constructor(
        isFailure: (error: unknown) => boolean,
        private readonly refusal: (cause: unknown) => Error,
    ) {
        this.policy = circuitBreaker(handleWhen(isFailure), { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failuresToOpen) });
    }

    /** Whether calls are made as if there were no circuit. */
    get closed(): boolean {
        return this.policy.state === CircuitState.Closed;
    }

    async run<T>(call: () => Promise<T>): Promise<T> {
        // The library would let the others wait for the outcome of the one that tries.
        if (this.policy.state === CircuitState.HalfOpen) {
            throw this.refused();
        }
        try {
            return await this.policy.execute(call);
        } catch (error) {
            throw error instanceof BrokenCircuitError ? this.refused() : error;
        }
    }

    private refused(): Error {
        const last = this.policy.lastFailure;
        return this.refusal(last && "error" in last ? last.error : undefined);
    }
}
