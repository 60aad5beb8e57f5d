import { onchainTable } from "ponder";

export const transfer = onchainTable("transfer", (t) => ({
  id: t.text().primaryKey(),
  sender: t.hex().notNull(),
  receiver: t.hex().notNull(),
  value: t.bigint().notNull(),
}));
