import { createConfig } from "ponder";

export const abi = [
  {
    type: "event",
    name: "Transfer",
    inputs: [
      { name: "from", type: "address", indexed: true },
      { name: "to", type: "address", indexed: true },
      { name: "value", type: "uint256", indexed: false },
    ],
  },
] as const;

export default createConfig({
  chains: { bench: { id: 1, rpc: process.env.RPC } },
  contracts: {
    Token: {
      chain: "bench",
      abi,
      address: process.env.CONTRACT as `0x${string}`,
      startBlock: 1,
      endBlock: Number(process.env.LAST),
    },
  },
});
