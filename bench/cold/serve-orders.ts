/** In the process itself: does each order that comes, until the one who asks goes away. */
export function serveOrders<Order, Reply extends object>(work: (order: Order) => Promise<Reply>): void {
    const reply = (message: Reply | { readonly error: string }) => void process.send?.(message);
    process.on("message", (order: Order) => {
        work(order).then(reply, (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
    });
    process.on("disconnect", () => process.exit());
}
