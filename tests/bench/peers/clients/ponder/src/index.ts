import { ponder } from "ponder:registry";
import { transfer } from "ponder:schema";

ponder.on("Token:Transfer", async ({ event, context }) => {
  await context.db.insert(transfer).values({
    id: event.id,
    sender: event.args.from,
    receiver: event.args.to,
    value: event.args.value,
  });
});
