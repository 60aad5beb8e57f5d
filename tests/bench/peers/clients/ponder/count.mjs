// Prints how many transfers are in the database, and the sum of their values.
import { PGlite } from "@electric-sql/pglite";

const database = new PGlite(".ponder/pglite");
const { rows } = await database.query(
  "select count(*)::text as rows, coalesce(sum(value), 0)::text as total from bench.transfer",
);
console.log(rows[0].rows, rows[0].total);
await database.close();
