import type { LocalCloud } from "../../local/cloud/cloud";
import type { Registration } from "../../local/cloud/resource-type";
import { answer, made, type Inputs } from "./recording";

/** What the engine's providers need of the local cloud. */
type Provided = Pick<LocalCloud, "register" | "restore" | "read" | "remove" | "call"> & { readonly types: Pick<LocalCloud["types"], "includes"> };

/** A cloud on paper: it takes every resource at once and answers as the recording does, with nothing running behind it. */
export function paperCloud(): LocalCloud {
    const cloud: Provided = {
        types: { includes: () => true },
        register: ({ type, name, inputs }: Registration) => {
            const { id, state } = made(type, name, inputs);
            return Promise.resolve({ id, name: String(state.name), outputs: state });
        },
        restore: ({ type, name, inputs }: Registration) => Promise.resolve({ id: made(type, name, inputs as Inputs).id, name, outputs: {} }),
        read: ({ inputs }: Registration) => Promise.resolve(inputs),
        remove: () => Promise.resolve(),
        call: (token, inputs) => Promise.resolve(answer(token, inputs)),
    };
    return cloud as LocalCloud;
}
